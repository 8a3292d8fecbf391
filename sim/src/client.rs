//! `Client`: one connection to a node, with one request under way or several, in any version.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use klamm_env::{Env, Stream};
use klamm_protocol::{Decode as _, DecodeError, EncodeError, Piece, Request, Str, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How long an answer may take; in a simulation that is virtual time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection is gone.
    #[error(transparent)]
    Connection(#[from] io::Error),
    /// The request cannot be said in this version.
    #[error(transparent)]
    Request(#[from] EncodeError),
    /// The answer is not what the version says: always a defect of the node.
    #[error("malformed answer: {0}")]
    Malformed(#[from] DecodeError),
    /// The answer is to another request: always a defect of the node.
    #[error("answer {found} where {expected} is due")]
    OutOfOrder {
        /// The oldest request without an answer.
        expected: i32,
        /// What came.
        found: i32,
    },
    /// Nothing came in time.
    #[error("no answer within {ANSWER_TIMEOUT:?}")]
    Silence,
}

impl ClientError {
    /// Whether only the connection is lost, as happens when a node stops.
    pub fn is_lost_connection(&self) -> bool {
        matches!(self, ClientError::Connection(_))
    }
}

/// One connection.
pub struct Client {
    env: Env,
    stream: Stream,
    client_id: Str,
    next_id: i32,
    due: VecDeque<i32>,
}

impl Client {
    /// Connects; nothing is sent.
    ///
    /// # Errors
    /// If the node does not listen.
    pub async fn connect(env: &Env, address: SocketAddr) -> io::Result<Client> {
        let stream = env.net().connect(address).await?;
        let client_id = Str::from("klamm-sim");
        Ok(Client { env: env.clone(), stream, client_id, next_id: 1, due: VecDeque::new() })
    }

    /// Sends a request and waits for its answer. Nothing else may be under way.
    ///
    /// # Errors
    /// If no answer comes, or not the right one.
    pub async fn call<R: Request>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Result<R::Response, ClientError> {
        assert!(self.due.is_empty(), "answers to earlier requests must be received first");
        self.send(version, request).await?;
        self.receive::<R>(version).await
    }

    /// Sends a request; [`Client::receive`] gets the answers in the order of the requests.
    ///
    /// # Errors
    /// If it cannot be sent.
    pub async fn send<R: Request>(&mut self, version: i16, request: &R) -> Result<(), ClientError> {
        self.send_unanswered(version, request).await?;
        self.due.push_back(self.next_id - 1);
        Ok(())
    }

    /// As [`Client::send`] for a request that gets no answer: Produce with `acks=0`.
    ///
    /// # Errors
    /// If it cannot be sent.
    pub async fn send_unanswered<R: Request>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Result<(), ClientError> {
        let pieces = frame::encode_request(version, self.next_id, Some(&self.client_id), request)?;
        self.next_id += 1;
        let mut bytes = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Bytes(piece) => bytes.extend_from_slice(&piece),
                Piece::External { .. } => unreachable!("requests have all their bytes"),
            }
        }
        Ok(self.send_bytes(&bytes).await?)
    }

    /// The answer to the oldest request under way.
    ///
    /// # Errors
    /// If no answer comes, or not the right one.
    pub async fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response, ClientError> {
        let expected = self.due.pop_front().expect("a request is under way");
        let frame = self.receive_frame().await?;
        let (header, mut body) = frame::decode_response_header(frame, R::API_KEY, version)?;
        if header.correlation_id != expected {
            return Err(ClientError::OutOfOrder { expected, found: header.correlation_id });
        }
        Ok(R::Response::decode(&mut body, version)?)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next frame, without its length.
    ///
    /// # Errors
    /// If the connection ends or nothing comes.
    pub async fn receive_frame(&mut self) -> Result<Bytes, ClientError> {
        let clock = self.env.clock().clone();
        let frame = async {
            let length = self.stream.read_i32().await?;
            let length = usize::try_from(length).map_err(io::Error::other)?;
            let mut frame = vec![0; length];
            self.stream.read_exact(&mut frame).await?;
            Ok(Bytes::from(frame))
        };
        clock.timeout(ANSWER_TIMEOUT, frame).await.map_err(|_| ClientError::Silence)?
    }

    /// Waits until the node closes the connection.
    ///
    /// # Errors
    /// If it sends something instead, or leaves the connection open.
    pub async fn closed(&mut self) -> Result<(), ClientError> {
        let clock = self.env.clock().clone();
        let mut byte = [0];
        match clock.timeout(ANSWER_TIMEOUT, self.stream.read(&mut byte)).await {
            Err(_) => Err(ClientError::Silence),
            Ok(Ok(0) | Err(_)) => Ok(()),
            Ok(Ok(_)) => Err(io::Error::other("there is an answer").into()),
        }
    }
}
