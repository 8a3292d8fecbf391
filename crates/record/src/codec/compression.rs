//! A codec together with its level, within Kafka's bounds.

use crate::batch::Codec;
use crate::config::{ConfigError, ConfigValue, Validator};

/// What to compress with (Kafka's `Compression`). The level is that of the codec; codecs without levels ignore it.
///
/// lz4: our library has one level, so levels other than 9 (Kafka's fast compressor) compress alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    /// The codec.
    pub codec: Codec,
    /// gzip: −1 (the library's default) or 1 to 9; lz4: 1 to 17; zstd: −131072 to 22.
    pub level: i32,
}

impl Compression {
    /// Not compressed.
    pub const NONE: Self = Self { codec: Codec::None, level: 0 };

    /// `codec` at Kafka's default level.
    pub const fn new(codec: Codec) -> Self {
        let level = match codec {
            Codec::None | Codec::Snappy => 0,
            Codec::Gzip => -1,
            Codec::Lz4 => 9,
            Codec::Zstd => 3,
        };
        Self { codec, level }
    }

    /// `codec` at `level`; none if the codec has levels and this is none of them.
    pub fn with_level(codec: Codec, level: i32) -> Option<Self> {
        let fits = match codec {
            Codec::None | Codec::Snappy => true,
            Codec::Gzip => level == -1 || (1..=9).contains(&level),
            Codec::Lz4 => (1..=17).contains(&level),
            Codec::Zstd => (-131_072..=22).contains(&level),
        };
        fits.then_some(Self { codec, level })
    }

    /// Validator of `compression.gzip.level`; those of lz4 and zstd are plain ranges.
    pub const GZIP_LEVEL: Validator = Validator::Check(check_gzip_level, "[1,...,9] or -1");
}

fn check_gzip_level(name: &str, value: &ConfigValue) -> Result<(), ConfigError> {
    match value.as_i32() {
        Some(-1 | 1..=9) => Ok(()),
        None => Err(ConfigError::invalid(name, value, "Value must be non-null")),
        Some(_) => {
            let reason = "Value must be between 1 and 9 or equal to -1";
            Err(ConfigError::invalid(name, value, reason))
        }
    }
}
