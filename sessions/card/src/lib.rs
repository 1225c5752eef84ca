//! A chip card and its reader: personalise, open, read, prove. No input or output: commands go in, answers come out;
//! time and randomness are arguments.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod chip;
mod error;
mod personalise;
mod presented;
mod reader;
mod transport;

pub use chip::{Answer, Chip, Contents, ContentsError, DELAY};
pub use error::CardError;
pub use personalise::{
    Card, CardSecrets, DocumentSigner, Holder, PersonaliseError, Protocols, personalise, portrait,
};
pub use presented::{ChipChallenge, ExpectedAnswer, PresentedCard};
pub use reader::{Access, CardData, Opened, Proofs, Randomness, Reading, Relay, Turn};
pub use transport::{InProcess, Transport, TransportError, read, read_on, relay};
