//! Over TCP: each message behind its length, four bytes, big-endian. The messages are encrypted by the
//! session that they belong to; the channel adds nothing.

use crate::{Channel, ChannelError, MAX_MESSAGE};
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A device that waits for one reader.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Tcp {
    stream: TcpStream,
}

impl Listening {
    /// Waits at `host`, on a port that the system chooses.
    ///
    /// # Errors
    /// [`ChannelError::Network`].
    pub async fn at(host: IpAddr) -> Result<Self, ChannelError> {
        let listener = TcpListener::bind((host, 0)).await.map_err(|error| network(&error))?;
        let address = listener.local_addr().map_err(|error| network(&error))?;
        Ok(Self { listener, address })
    }

    /// Where it waits.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first that connects; nobody after it can.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub async fn accept(self, within: Duration) -> Result<Tcp, ChannelError> {
        let first = tokio::time::timeout(within, self.listener.accept()).await;
        let (stream, _) =
            first.map_err(|_| ChannelError::Timeout(within))?.map_err(|error| network(&error))?;
        Tcp::of(stream)
    }
}

impl Tcp {
    /// Connects to a device.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub async fn connect(host: &str, port: u16) -> Result<Self, ChannelError> {
        let stream = tokio::time::timeout(CONNECT, TcpStream::connect((host, port))).await;
        let stream = stream.map_err(|_| ChannelError::Timeout(CONNECT))?;
        Self::of(stream.map_err(|error| network(&error))?)
    }

    fn of(stream: TcpStream) -> Result<Self, ChannelError> {
        stream.set_nodelay(true).map_err(|error| network(&error))?;
        Ok(Self { stream })
    }

    async fn read(&mut self) -> Result<Vec<u8>, ChannelError> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).await.map_err(|error| network(&error))?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE {
            return Err(ChannelError::TooLong(length));
        }
        // No room is made for what is only claimed.
        let mut message = Vec::new();
        let claimed = u64::try_from(length).unwrap_or(u64::MAX);
        let mut limited = (&mut self.stream).take(claimed);
        limited.read_to_end(&mut message).await.map_err(|error| network(&error))?;
        if message.len() == length { Ok(message) } else { Err(ChannelError::Closed) }
    }
}

impl Channel for Tcp {
    async fn send(&mut self, message: &[u8]) -> Result<(), ChannelError> {
        let too_long = || ChannelError::TooLong(message.len());
        if message.len() > MAX_MESSAGE {
            return Err(too_long());
        }
        let length = u32::try_from(message.len()).map_err(|_| too_long())?;
        let framed = [&length.to_be_bytes(), message].concat();
        self.stream.write_all(&framed).await.map_err(|error| network(&error))?;
        self.stream.flush().await.map_err(|error| network(&error))
    }

    async fn receive(&mut self, within: Duration) -> Result<Vec<u8>, ChannelError> {
        let next = tokio::time::timeout(within, self.read()).await;
        next.map_err(|_| ChannelError::Timeout(within))?
    }
}

fn network(error: &Error) -> ChannelError {
    match error.kind() {
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => ChannelError::Closed,
        _ => ChannelError::Network(error.to_string()),
    }
}
