//! What a handler gives back: a reply, its response, and the pieces that go to the socket.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use klamm_env::File;
use klamm_protocol::{Encode, EncodeError, ErrorCode, Writer, frame};

use crate::request_context::RequestContext;

/// A boxed future that owns what it needs.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// What a handler answers.
///
/// The connection works replies off in order. What may be dropped when the client goes away, and
/// what may not, is the difference between `Later` and `Working`.
pub enum Reply {
    /// The answer is here.
    Now(Response),
    /// The answer comes when a wait is over (a long poll, acks, a commit that another task owns).
    /// Dropping the future must cancel nothing but the wait: it is dropped when the client goes.
    Later(BoxFuture<Response>),
    /// Something is being changed. The future is polled to its end even if the client is gone; only
    /// then does the connection take up the next request. It yields the reply proper (which, for
    /// Produce, is a `Later` that waits for acks).
    Working(BoxFuture<Reply>),
    /// There is no answer (Produce with `acks=0`).
    None,
    /// There is no answer the protocol could carry: close the connection and log the reason once.
    Close(CloseReason),
}

/// Why a handler wants its connection closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// A Produce with `acks=0` failed: closing is the only way to tell (Kafka: `KafkaApis`).
    #[error("a produce request with acks=0 failed: {0}")]
    UnansweredProduceFailed(String),
    /// The principal may not use this API and the API has no error to say so.
    #[error("not authorized")]
    NotAuthorized,
    /// Anything else; the text is logged.
    #[error("{0}")]
    Other(String),
}

impl Reply {
    /// Answers at once with a generated message.
    pub fn message(message: impl ResponseMessage + 'static) -> Reply {
        Reply::Now(Response::message(message))
    }

    /// Answers when `wait` is over. See [`Reply::Later`] for what may be in it.
    pub fn later(wait: impl Future<Output = Response> + Send + 'static) -> Reply {
        Reply::Later(Box::pin(wait))
    }

    /// Answers when work that must not be cut short is done. See [`Reply::Working`].
    pub fn working(work: impl Future<Output = Reply> + Send + 'static) -> Reply {
        Reply::Working(Box::pin(work))
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reply::Now(_) => "Now",
            Reply::Later(_) => "Later",
            Reply::Working(_) => "Working",
            Reply::None => "None",
            Reply::Close(_) => "Close",
        })
    }
}

/// A response message that can carry its throttle time. One line each, by [`response_message!`],
/// beside the handler.
///
/// [`response_message!`]: crate::response_message
pub trait ResponseMessage: Encode + Send {
    /// Fills `throttle_time_ms` where the message has the field.
    fn set_throttle_time_ms(&mut self, throttle_time_ms: i32);
}

/// Says how a generated response message carries its throttle time:
/// `response_message!(MetadataResponse, throttle_time_ms)`, or without the field name.
#[macro_export]
macro_rules! response_message {
    ($message:ty, $field:ident) => {
        impl $crate::reply::ResponseMessage for $message {
            fn set_throttle_time_ms(&mut self, throttle_time_ms: i32) {
                self.$field = throttle_time_ms;
            }
        }
    };
    ($message:ty) => {
        impl $crate::reply::ResponseMessage for $message {
            fn set_throttle_time_ms(&mut self, _throttle_time_ms: i32) {}
        }
    };
}

/// An answer that still has to be encoded: the dispatcher fills in the throttle time first.
pub struct Response {
    message: Box<dyn ResponseMessage>,
    files: Vec<FilePiece>,
    error: ErrorCode,
}

impl Response {
    /// From a generated message.
    pub fn message(message: impl ResponseMessage + 'static) -> Response {
        Response::with_files(message, Vec::new())
    }

    /// From a generated message whose `Records::External` tokens are indexes into `files`; each is
    /// sent without passing through our memory where the transport can.
    pub fn with_files(message: impl ResponseMessage + 'static, files: Vec<FilePiece>) -> Response {
        Response { message: Box::new(message), files, error: ErrorCode::None }
    }

    /// Notes the error that the request metrics count; it changes nothing in the message.
    #[must_use]
    pub fn with_error(mut self, error: ErrorCode) -> Response {
        self.error = error;
        self
    }

    /// The error noted for the metrics.
    pub fn error(&self) -> ErrorCode {
        self.error
    }

    /// Fills the throttle time and encodes length, header and body.
    ///
    /// # Errors
    /// When a field that is set cannot be said in the request's version: our bug, the connection is
    /// closed.
    pub fn encode(
        mut self,
        ctx: &RequestContext,
        throttle_time_ms: i32,
    ) -> Result<Vec<Piece>, EncodeError> {
        self.message.set_throttle_time_ms(throttle_time_ms);
        let pieces = frame::encode_response(
            ctx.api_key,
            ctx.api_version,
            ctx.correlation_id,
            &Erased(self.message.as_ref()),
        )?;
        let files = &self.files;
        Ok(pieces
            .into_iter()
            .map(|piece| match piece {
                klamm_protocol::Piece::Bytes(bytes) => Piece::Bytes(bytes),
                klamm_protocol::Piece::External { token, size_bytes } => {
                    let file = files[token].clone();
                    assert_eq!(
                        file.size_bytes,
                        u64::from(size_bytes),
                        "a response announces as many bytes of a file as it sends"
                    );
                    Piece::File(file)
                }
            })
            .collect())
    }
}

struct Erased<'a>(&'a dyn ResponseMessage);

impl Encode for Erased<'_> {
    fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        self.0.encode(w, version)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("error", &self.error).finish_non_exhaustive()
    }
}

/// A range of a file (storage's `FileSlice`).
#[derive(Clone)]
pub struct FilePiece {
    /// Which file.
    pub file: File,
    /// First byte.
    pub position: u64,
    /// How many bytes.
    pub size_bytes: u64,
}

impl fmt::Debug for FilePiece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes from {}", self.size_bytes, self.position)
    }
}

/// A part of a response on its way to the socket.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes in memory; neighbours leave in one vectored write.
    Bytes(Bytes),
    /// A range of a file.
    File(FilePiece),
}

impl Piece {
    /// Length on the wire, in bytes.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::File(file) => file.size_bytes,
        }
    }
}
