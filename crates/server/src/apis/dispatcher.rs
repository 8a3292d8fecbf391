//! From a frame to its row, and from a response to the bytes on the wire.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use klamm_protocol::frame::{self, HeaderError};
use klamm_protocol::{ApiKey, DecodeError, EncodeError, Reader};
use tokio::time::Instant;

use crate::apis::api_versions;
use crate::apis::table::{Access, ApiRow};
use crate::authorizer::{CLUSTER_NAME, Decision, ResourceType};
use crate::broker::Broker;
use crate::quota::Usage;
use crate::reply::{CloseReason, Piece, Reply, Response};
use crate::request_context::{Connection, RequestContext};

/// Why a request gets no answer and its connection is closed, with one log line.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// The header is not what its version says, or of an API that nobody knows.
    #[error("request header cannot be read: {0}")]
    Header(#[from] HeaderError),
    /// Not an API that this listener answers.
    #[error("{0} is not answered on this listener")]
    NotAnswered(ApiKey),
    /// A known API in a version outside its range.
    #[error("{api} version {version} is not supported, only {version_min} to {version_max}")]
    UnsupportedVersion {
        /// Which API.
        api: ApiKey,
        /// The version asked for.
        version: i16,
        /// Lowest accepted version.
        version_min: i16,
        /// Highest accepted version.
        version_max: i16,
    },
    /// The body is not what its version says.
    #[error("{api} version {version} request cannot be read: {source}")]
    Body {
        /// Which API.
        api: ApiKey,
        /// In which version.
        version: i16,
        /// What is wrong.
        source: DecodeError,
    },
}

/// A request whose header has been read: it is known who will handle it.
#[derive(Debug)]
pub struct Request {
    /// Its surroundings.
    pub ctx: RequestContext,
    /// Its row.
    pub row: &'static ApiRow,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Body(Reader),
    /// ApiVersions in a version nobody knows: it is answered, not closed.
    UnknownApiVersions,
}

/// A response ready for the socket.
#[derive(Debug)]
pub struct Outgoing {
    /// Length prefix, header and body.
    pub pieces: Vec<Piece>,
    /// Length of all pieces, in bytes.
    pub size_bytes: u64,
    /// For how long nothing is read from the connection once this is sent.
    pub mute: Duration,
}

/// Why a response could not be put on the wire.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// The handler set what its version cannot say, or more than a frame can hold.
    #[error("{api} version {version} response cannot be encoded: {source}")]
    Encode {
        /// Which API.
        api: ApiKey,
        /// In which version.
        version: i16,
        /// What is wrong.
        source: EncodeError,
    },
}

/// Reads the header and finds the row.
///
/// # Errors
/// Every error closes the connection.
pub fn read_request(
    broker: &Broker,
    connection: &Arc<Connection>,
    frame: Bytes,
    received_at: Instant,
) -> Result<Request, DispatchError> {
    let request_size_bytes = frame.len();
    let (api, version, correlation_id) = peek(&frame)?;
    let row = broker
        .row(api)
        .filter(|row| row.listeners.includes(connection.listener.kind))
        .ok_or(DispatchError::NotAnswered(api))?;
    let context = |api_version, client_id| RequestContext {
        api_key: api,
        api_version,
        correlation_id,
        client_id,
        connection: Arc::clone(connection),
        principal: connection.principal.clone(),
        software: connection.software(),
        received_at,
        deadline: received_at + broker.request_timeout(),
        request_size_bytes,
        span: tracing::debug_span!("request", %api, version, correlation_id),
    };
    if row.accepts(version) {
        let (_, header, body) = frame::decode_request_header(frame)?;
        // The context outlives the request's bytes, whose permit must not wait for it.
        let ctx = context(version, header.client_id.map(|id| id.detached()));
        return Ok(Request { ctx, row, kind: Kind::Body(body) });
    }
    if api == ApiKey::ApiVersions {
        // Answered in v0, whatever its header looks like.
        return Ok(Request { ctx: context(0, None), row, kind: Kind::UnknownApiVersions });
    }
    Err(DispatchError::UnsupportedVersion {
        api,
        version,
        version_min: row.version_min,
        version_max: row.version_max,
    })
}

/// The first fields of a header, which are the same in all its versions.
fn peek(frame: &Bytes) -> Result<(ApiKey, i16, i32), HeaderError> {
    let mut reader = Reader::new(frame.clone());
    let (code, version, correlation_id) = (reader.i16()?, reader.i16()?, reader.i32()?);
    let api = ApiKey::from_code(code).ok_or(HeaderError::UnknownApiKey { api_key: code })?;
    Ok((api, version, correlation_id))
}

impl Request {
    /// Asks the authorizer, then calls the handler.
    ///
    /// # Errors
    /// When the body cannot be read; the connection is closed.
    pub fn handle(
        self,
        broker: &Arc<Broker>,
    ) -> Result<(RequestContext, &'static ApiRow, Reply), DispatchError> {
        let Request { ctx, row, kind } = self;
        let reply = match (kind, row.access) {
            (Kind::UnknownApiVersions, _) => Reply::Now(api_versions::unsupported_version()),
            (Kind::Body(_), Access::Cluster(operation))
                if broker.authorizer().authorize(
                    &ctx,
                    operation,
                    (ResourceType::Cluster, CLUSTER_NAME),
                ) == Decision::Denied =>
            {
                Reply::Close(CloseReason::NotAuthorized)
            }
            (Kind::Body(body), _) => {
                let _entered = ctx.span.enter();
                (row.handle)(broker, &ctx, body).map_err(|source| DispatchError::Body {
                    api: row.api_key,
                    version: ctx.api_version,
                    source,
                })?
            }
        };
        Ok((ctx, row, reply))
    }
}

/// Asks the quota, fills the throttle time and encodes.
///
/// # Errors
/// The error is a bug of a handler; the connection is closed.
pub fn finish(
    broker: &Broker,
    ctx: &RequestContext,
    row: &ApiRow,
    response: Response,
    now: Instant,
) -> Result<Outgoing, FinishError> {
    let usage = Usage {
        request_bytes: ctx.request_size_bytes as u64,
        elapsed: now.saturating_duration_since(ctx.received_at),
    };
    let mute = broker.quota().throttle(ctx, row.throttle, usage);
    let throttle_time_ms = i32::try_from(mute.as_millis()).unwrap_or(i32::MAX);
    let pieces = response.encode(ctx, throttle_time_ms).map_err(|source| FinishError::Encode {
        api: ctx.api_key,
        version: ctx.api_version,
        source,
    })?;
    let size_bytes = pieces.iter().map(Piece::size_bytes).sum();
    Ok(Outgoing { pieces, size_bytes, mute })
}
