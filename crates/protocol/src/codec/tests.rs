//! Reader and writer at their edges.

use bytes::Bytes;

use super::*;
use crate::messages::fetch_request::{FetchRequest, ReplicaState};
use crate::messages::metadata_response::{MetadataResponse, MetadataResponseTopic};

fn reader(bytes: &'static [u8]) -> Reader {
    Reader::new(Bytes::from_static(bytes))
}

#[test]
fn a_count_beyond_the_bytes_is_refused_before_any_element() {
    for (flexible, bytes) in [
        (false, &[0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4][..]),
        (false, &[0, 0, 0, 2, 1, 2, 3, 4]),
        (true, &[0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3, 4]),
        (true, &[3, 1, 2, 3, 4]),
    ] {
        let result = reader(bytes).array(flexible, 4, |_| -> Result<i32, _> { panic!("read") });
        assert!(matches!(result, Err(DecodeError::Truncated { .. })), "{result:?}");
    }
}

#[test]
fn a_length_beyond_the_bytes_is_refused() {
    let error = reader(&[0x7f, 0xff, 0xff, 0xff, 1]).bytes(false).unwrap_err();
    assert_eq!(error.to_string(), "2147483647 bytes needed at position 4, 1 left");
    assert!(reader(&[0xff, 0xff, 0xff, 0xff, 0x0f]).bytes(true).is_err());
    assert!(reader(&[0x7f, 0xff, b'a']).string(false).is_err());
}

#[test]
fn a_string_has_at_most_32767_bytes_in_flexible_versions_too() {
    let mut w = Writer::new();
    w.uvarint(0x8001);
    w.raw(&[b'a'; 0x8000]);
    let error = Reader::new(w.into_bytes()).string(true).unwrap_err();
    assert_eq!(error, DecodeError::InvalidLength { position: 3, length: 0x8000 });
    let long = Str::from("a".repeat(0x8000));
    let error = Writer::new().string(&long, true).unwrap_err();
    assert_eq!(error, EncodeError::TooLong { length: 0x8000, limit: 0x7fff });
}

#[test]
fn null_and_text_that_is_not_utf8() {
    assert_eq!(reader(&[0xff, 0xff]).nullable_string(false), Ok(None));
    assert_eq!(reader(&[0]).nullable_string(true), Ok(None));
    assert_eq!(reader(&[0]).string(true), Err(DecodeError::UnexpectedNull { position: 1 }));
    let bad = reader(&[3, 0xc3, 0x28]).string(true);
    assert_eq!(bad, Err(DecodeError::InvalidUtf8 { position: 1 }));
}

#[test]
fn varints() {
    for value in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u32::MAX] {
        let mut w = Writer::new();
        w.uvarint(value);
        assert_eq!(Reader::new(w.into_bytes()).uvarint(), Ok(value));
    }
    let long = reader(&[0x80, 0x80, 0x80, 0x80, 0x80, 0]).uvarint();
    assert_eq!(long, Err(DecodeError::InvalidVarint { position: 0 }));
}

#[test]
fn unknown_tagged_fields_are_skipped_and_wrong_sizes_refused() {
    let request = FetchRequest {
        replica_state: ReplicaState { replica_id: 3, replica_epoch: 4 },
        ..FetchRequest::default()
    };
    let mut w = Writer::new();
    request.encode(&mut w, 17).unwrap();
    let mut bytes = w.into_bytes().to_vec();
    // The block at the end: one field, tag 1, 13 bytes.
    let block = bytes.len() - 16;
    assert_eq!(bytes[block..block + 3], [1, 1, 13]);
    bytes[block] = 2;
    bytes.extend([99, 2, 0xaa, 0xbb]);
    let decoded = FetchRequest::decode(&mut Reader::new(bytes.clone().into()), 17).unwrap();
    assert_eq!(decoded, request);

    bytes[block + 2] = 14;
    let error = FetchRequest::decode(&mut Reader::new(bytes.into()), 17).unwrap_err();
    assert!(matches!(error, DecodeError::TaggedFieldSize { .. }), "{error:?}");
}

#[test]
fn what_a_version_lacks_is_an_error_unless_ignorable() {
    let with_state = FetchRequest {
        replica_state: ReplicaState { replica_id: 3, replica_epoch: 4 },
        ..FetchRequest::default()
    };
    let error = with_state.encode(&mut Writer::new(), 14).unwrap_err();
    assert_eq!(
        error.to_string(),
        "FetchRequest.replica_state is set, but version 14 does not have it"
    );

    let with_session = FetchRequest { session_id: 5, ..FetchRequest::default() };
    let mut w = Writer::new();
    with_session.encode(&mut w, 4).unwrap();
    let back = FetchRequest::decode(&mut Reader::new(w.into_bytes()), 4).unwrap();
    assert_eq!(back.session_id, 0);
}

#[test]
fn null_only_in_versions_that_allow_it() {
    let topic = MetadataResponseTopic { name: None, ..MetadataResponseTopic::default() };
    let response = MetadataResponse { topics: vec![topic], ..MetadataResponse::default() };
    assert_eq!(response.encode(&mut Writer::new(), 12), Ok(()));
    let error = response.encode(&mut Writer::new(), 11).unwrap_err();
    let expected = "MetadataResponseTopic.name is null, but version 11 does not allow that";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn decoded_strings_and_bytes_are_views_of_the_frame() {
    let frame = Bytes::from_static(&[0, 2, b'h', b'i', 0, 0, 0, 1, 7]);
    let mut r = Reader::new(frame.clone());
    let text = r.string(false).unwrap();
    assert_eq!(text.as_ptr(), frame[2..].as_ptr());
    assert_eq!(r.bytes(false).unwrap().as_ptr(), frame[8..].as_ptr());
    assert_ne!(text.detached().as_ptr(), frame[2..].as_ptr());
}

#[test]
fn large_bytes_become_pieces_and_join_again() {
    let large = Bytes::from(vec![7; 5000]);
    let mut w = Writer::new();
    w.i8(1);
    w.bytes(&large, false).unwrap();
    w.i8(2);
    assert_eq!(w.len(), 5006);
    let pieces = w.into_pieces();
    assert_eq!(pieces.len(), 3);
    assert!(matches!(&pieces[1], Piece::Bytes(bytes) if bytes.as_ptr() == large.as_ptr()));
}
