//! What benches over HTTP share: a server of their own, connections, and requests sent at once.

mod connection;
mod load;
mod server;

pub(crate) use connection::{Connection, Prepared};
pub(crate) use load::{Measured, measure};
pub(crate) use server::Server;
