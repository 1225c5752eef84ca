//! What benches over HTTP share: a server of their own, connections, and requests sent at once.

mod connection;
mod load;
mod response;
mod server;

pub(crate) use connection::{Connection, Prepared};
pub(crate) use load::{Clients, FEW, MANY, Measured, measure};
pub(crate) use server::{Server, Target};

use anyhow::{Context, Result};
use serde_json::Value;

/// A member of an answer that is a text.
pub(crate) fn text<'a>(answer: &'a Value, name: &'static str) -> Result<&'a str> {
    answer.get(name).and_then(Value::as_str).with_context(|| format!("the answer lacks {name}"))
}
