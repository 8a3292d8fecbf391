//! Frames: four bytes of length, a header, a message.

use bytes::Bytes;

use crate::codec::{
    Decode as _, DecodeError, Encode, EncodeError, Message, Piece, Reader, Request, Writer,
};
use crate::messages::request_header::RequestHeader;
use crate::messages::response_header::ResponseHeader;
use crate::{ApiKey, Str};

/// The length that stands before every frame, in bytes.
pub const LENGTH_SIZE: usize = 4;

/// Why a request's header could not be read. The connection is closed then: nothing behind it can be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No such API, in any version; the header's version is unknown with it.
    #[error("unknown API key {api_key}")]
    UnknownApiKey {
        /// As sent.
        api_key: i16,
    },
    /// Too short or malformed.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}

/// Reads the header of a request; `frame` is without its length. The reader stands at the body then.
///
/// The API's version is not checked: ApiVersions answers an unknown one, and it is the dispatcher that refuses others.
///
/// # Errors
/// When the API is unknown or the header malformed.
pub fn decode_request_header(frame: Bytes) -> Result<(ApiKey, RequestHeader, Reader), HeaderError> {
    let mut r = Reader::new(frame);
    let mut ahead = r.clone();
    let (code, version) = (ahead.i16()?, ahead.i16()?);
    let api = ApiKey::from_code(code).ok_or(HeaderError::UnknownApiKey { api_key: code })?;
    let header = RequestHeader::decode(&mut r, api.request_header_version(version))?;
    Ok((api, header, r))
}

/// A whole response with its length, as pieces to send in order.
///
/// # Errors
/// When the version cannot express the message.
pub fn encode_response(
    api: ApiKey,
    version: i16,
    correlation_id: i32,
    response: &impl Encode,
) -> Result<Vec<Piece>, EncodeError> {
    let mut w = Writer::with_capacity(256);
    w.i32(0);
    let header = ResponseHeader { correlation_id };
    header.encode(&mut w, api.response_header_version(version))?;
    response.encode(&mut w, version)?;
    finish(w)
}

/// A whole request with its length, as pieces to send in order.
///
/// # Errors
/// When the version cannot express the message.
pub fn encode_request<R: Request>(
    version: i16,
    correlation_id: i32,
    client_id: Option<&Str>,
    request: &R,
) -> Result<Vec<Piece>, EncodeError> {
    let mut w = Writer::with_capacity(256);
    w.i32(0);
    let header = RequestHeader {
        request_api_key: R::API_KEY.code(),
        request_api_version: version,
        correlation_id,
        client_id: client_id.cloned(),
    };
    header.encode(&mut w, R::API_KEY.request_header_version(version))?;
    request.encode(&mut w, version)?;
    finish(w)
}

/// Reads the header of a response; `frame` is without its length. The reader stands at the body then.
///
/// # Errors
/// When the header is malformed.
pub fn decode_response_header(
    frame: Bytes,
    api: ApiKey,
    version: i16,
) -> Result<(ResponseHeader, Reader), DecodeError> {
    let mut r = Reader::new(frame);
    let header = ResponseHeader::decode(&mut r, api.response_header_version(version))?;
    Ok((header, r))
}

/// Reads a message that is all of `bytes`; for bodies that were framed elsewhere.
///
/// # Errors
/// When the bytes are no such message.
pub fn decode_body<M: Message>(bytes: Bytes, version: i16) -> Result<M, DecodeError> {
    M::decode(&mut Reader::new(bytes), version)
}

fn finish(w: Writer) -> Result<Vec<Piece>, EncodeError> {
    const LIMIT: usize = i32::MAX as usize;
    let length = w.len() - LENGTH_SIZE;
    if length > LIMIT {
        return Err(EncodeError::TooLong { length, limit: LIMIT });
    }
    let mut w = w;
    w.patch_start(&u32::try_from(length).expect("at most i32::MAX").to_be_bytes());
    Ok(w.into_pieces())
}

#[cfg(test)]
mod tests;
