//! Tests of the codecs: round trips, limits, damage, foreign framings.

use proptest::prelude::*;

use super::*;

fn unpack(codec: Codec, input: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut output = Vec::new();
    decompress(codec, input, limit, |chunk| output.extend_from_slice(chunk)).map(|()| output)
}

fn pack(codec: Codec, input: &[u8]) -> Vec<u8> {
    compress(Compression::new(codec), input, Vec::new()).expect("memory is at hand")
}

fn text(size: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 20).to_string().into_bytes())
        .take(size)
        .collect()
}

#[test]
fn every_codec_and_level_round_trips() {
    for size in [0, 1, 100, 32_768, 65_536, 65_537, 300_000] {
        let input = text(size);
        for codec in Codec::ALL {
            assert_eq!(
                unpack(codec, &pack(codec, &input), size),
                Ok(input.clone()),
                "{codec} {size}"
            );
        }
    }
    let input = text(5_000);
    for (codec, levels) in [
        (Codec::Gzip, vec![-1, 1, 9]),
        (Codec::Lz4, vec![1, 9, 17]),
        (Codec::Zstd, vec![-131_072, 3, 22]),
    ] {
        for level in levels {
            let compression = Compression::with_level(codec, level).expect("allowed");
            let packed = compress(compression, &input, Vec::new()).expect("memory");
            assert_eq!(unpack(codec, &packed, 5_000).as_ref(), Ok(&input), "{codec} {level}");
        }
    }
    assert_eq!(Compression::with_level(Codec::Gzip, 0), None);
    assert_eq!(Compression::with_level(Codec::Lz4, 18), None);
    assert_eq!(Compression::with_level(Codec::Zstd, 23), None);
}

#[test]
fn the_limit_is_exact() {
    let input = text(200_000);
    for codec in Codec::ALL {
        let packed = pack(codec, &input);
        assert!(unpack(codec, &packed, 200_000).is_ok());
        assert_eq!(
            unpack(codec, &packed, 199_999),
            Err(BatchError::DecompressedTooLarge { limit: 199_999 }),
            "{codec}"
        );
    }
}

#[test]
fn a_bomb_is_cut_at_the_limit() {
    let zeros = vec![0; 64 << 20];
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bomb = pack(codec, &zeros);
        let mut seen = 0;
        let result = decompress(codec, &bomb, 1 << 20, |chunk| seen += chunk.len());
        assert_eq!(result, Err(BatchError::DecompressedTooLarge { limit: 1 << 20 }), "{codec}");
        assert!(seen <= 1 << 20);
    }
    DecompressBuf::with_pooled(|scratch| {
        assert!(scratch.chunk.capacity() <= 1 << 20, "the pool keeps no large buffers");
    });
}

#[test]
fn a_claim_is_not_allocated() {
    // raw snappy: says 4 GiB - 1, holds nothing
    assert!(matches!(
        unpack(Codec::Snappy, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0], 1 << 30),
        Err(BatchError::Decompress(_))
    ));
    // lz4: blocks of 4 MiB, the only one holds a few bytes
    let mut frame = vec![0x04, 0x22, 0x4d, 0x18, 0x60, 0x70];
    frame.push((xxhash32::xxhash32(&frame[4..]) >> 8) as u8);
    frame.extend_from_slice(&[3, 0, 0, 0, 0x20, b'h', b'i', 0, 0, 0, 0]);
    let mut scratch = DecompressBuf::new();
    let mut stream = Stream::new(Codec::Lz4, &frame, 100, &mut scratch);
    assert_eq!(stream.next_chunk().expect("sound"), Some(&b"hi"[..]));
    assert_eq!(stream.next_chunk().expect("sound"), None);
    assert!(scratch.chunk.len() < 1000);
}

#[test]
fn a_cut_or_foreign_stream_is_an_error() {
    let input = text(10_000);
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let packed = pack(codec, &input);
        for cut in [1, 4, 8, packed.len() / 2] {
            let short = &packed[..packed.len() - cut];
            assert!(
                matches!(unpack(codec, short, 1 << 20), Err(BatchError::Decompress(_))),
                "{codec} {cut}"
            );
        }
        assert!(unpack(codec, b"no such format at all", 1 << 20).is_err(), "{codec}");
    }
    assert!(unpack(Codec::Gzip, &[], 100).is_err());
    assert!(unpack(Codec::Lz4, &[], 100).is_err());
}

#[test]
fn snappy_without_framing_and_with_two_headers() {
    let input = text(1_000);
    let raw = snap::raw::Encoder::new().compress_vec(&input).expect("small");
    assert_eq!(unpack(Codec::Snappy, &raw, 1_000), Ok(input.clone()));
    let mut twice = pack(Codec::Snappy, &input);
    twice.extend(pack(Codec::Snappy, &input));
    assert_eq!(unpack(Codec::Snappy, &twice, 2_000), Ok([input.clone(), input].concat()));
}

#[test]
fn gzip_members_and_headers() {
    let two = [pack(Codec::Gzip, b"one "), pack(Codec::Gzip, b"two")].concat();
    assert_eq!(unpack(Codec::Gzip, &two, 100), Ok(b"one two".to_vec()));
    let named = flate2::GzBuilder::new().filename("f").comment("c").extra(vec![1, 2, 3]);
    let mut encoder = named.write(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"x").expect("memory");
    assert_eq!(unpack(Codec::Gzip, &encoder.finish().expect("memory"), 100), Ok(b"x".to_vec()));
    let mut wrong = pack(Codec::Gzip, b"one");
    let crc_at = wrong.len() - 8;
    wrong[crc_at] ^= 1;
    assert!(unpack(Codec::Gzip, &wrong, 100).is_err());
}

#[test]
fn lz4_of_other_writers() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let input = text(500_000);
    let frame = |mode| {
        let info = FrameInfo::new()
            .block_size(BlockSize::Max256KB)
            .block_mode(mode)
            .block_checksums(true)
            .content_checksum(true)
            .content_size(Some(500_000));
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        std::io::Write::write_all(&mut encoder, &input).expect("memory");
        encoder.finish().expect("memory")
    };
    assert_eq!(unpack(Codec::Lz4, &frame(BlockMode::Independent), 500_000), Ok(input.clone()));
    assert!(unpack(Codec::Lz4, &frame(BlockMode::Linked), 500_000).is_err());
    let ours = pack(Codec::Lz4, &input);
    let mut decoded = Vec::new();
    let mut decoder = lz4_flex::frame::FrameDecoder::new(&ours[..]);
    std::io::Read::read_to_end(&mut decoder, &mut decoded).expect("an LZ4 frame");
    assert_eq!(decoded, input);
}

proptest! {
    #[test]
    fn anything_round_trips(input in proptest::collection::vec(any::<u8>(), 0..3_000), pieces in 1_usize..500) {
        for codec in Codec::ALL {
            let mut encoder = Encoder::new(Compression::new(codec), Vec::new()).expect("memory");
            for piece in input.chunks(pieces) {
                encoder.write(piece).expect("memory");
            }
            let packed = encoder.finish().expect("memory");
            prop_assert_eq!(unpack(codec, &packed, input.len()), Ok(input.clone()));
        }
    }

    #[test]
    fn damage_never_panics(size in 1_usize..2_000, at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let input = text(size);
        for codec in Codec::ALL {
            let mut packed = pack(codec, &input);
            let at = at.index(packed.len());
            packed[at] ^= flip;
            if let Ok(output) = unpack(codec, &packed, 4_000) {
                prop_assert!(output.len() <= 4_000);
            }
        }
    }

    #[test]
    fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        for codec in Codec::ALL {
            let _ = unpack(codec, &noise, 10_000);
        }
    }
}
