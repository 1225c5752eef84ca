//! What every institution's HTTP face shares: the server with its limits, problem details,
//! bearer tokens of operators, requests signed by a key, and the client for calling others.

mod body;
mod client;
mod direct;
mod edge;
mod language;
mod localising;
mod messages;
mod operator;
mod outside;
mod page;
mod page_words;
mod problem;
mod server;
mod starting;

pub use client::{AnswerTimes, Client, ClientError, Exchanged};
pub use direct::Routes;
pub use language::{Language, LanguageUnknown};
pub use messages::fill;
pub use operator::{Operator, OperatorToken};
pub use outside::may_lead_inside;
pub use problem::{Problem, ProblemBody};
pub use server::{Limits, ServeError, serve};
pub use starting::{Starting, Switch};

pub(crate) use body::Parsed;
pub(crate) use direct::Direct;
pub(crate) use edge::layers;
pub(crate) use language::weighted;
pub(crate) use operator::bearer;
pub(crate) use page::{Page, confirmation, escape};
pub(crate) use page_words::page_words;
