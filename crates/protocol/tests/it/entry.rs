//! One wire message as a test sees it: how it goes through this crate, and through `kafka-protocol`.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol as their;
use klamm_protocol::{Message, Reader, VersionRange, Writer};

/// A message of the wire protocol.
pub struct Entry {
    pub name: &'static str,
    pub versions: VersionRange,
    /// The versions that `kafka-protocol` has.
    pub their_versions: Option<VersionRange>,
    pub ours: RoundTrip,
    pub theirs: Option<RoundTrip>,
}

/// Decodes, then encodes again. Errors when decoding fails, encoding fails, or bytes are left.
pub type RoundTrip = fn(Bytes, i16) -> Result<Bytes, String>;

/// A message that only we have.
pub fn our_entry<M: Message>() -> Entry {
    Entry {
        name: M::NAME,
        versions: M::VERSIONS,
        their_versions: None,
        ours: our_round_trip::<M>,
        theirs: None,
    }
}

/// A message that `kafka-protocol` has too.
pub fn shared_entry<M, T>() -> Entry
where
    M: Message,
    T: their::Message + their::Encodable + their::Decodable,
{
    let range = T::VERSIONS;
    Entry {
        their_versions: Some(VersionRange { min: range.min, max: range.max }),
        theirs: Some(their_round_trip::<T>),
        ..our_entry::<M>()
    }
}

fn our_round_trip<M: Message>(bytes: Bytes, version: i16) -> Result<Bytes, String> {
    let mut r = Reader::new(bytes);
    let message = M::decode(&mut r, version).map_err(|error| format!("decode: {error}"))?;
    if !r.is_empty() {
        return Err(format!("{} bytes left", r.remaining()));
    }
    let mut w = Writer::new();
    message.encode(&mut w, version).map_err(|error| format!("encode: {error}"))?;
    Ok(w.into_bytes())
}

fn their_round_trip<T: their::Encodable + their::Decodable>(
    mut bytes: Bytes,
    version: i16,
) -> Result<Bytes, String> {
    let message = T::decode(&mut bytes, version).map_err(|error| format!("decode: {error}"))?;
    if !bytes.is_empty() {
        return Err(format!("{} bytes left", bytes.len()));
    }
    let mut out = BytesMut::new();
    message.encode(&mut out, version).map_err(|error| format!("encode: {error}"))?;
    Ok(out.freeze())
}
