//! The receipt of what was shown side by side: the reader's last word to the device, in the session that they had. Nothing
//! of it goes through a server.

use crate::Offline;
use crate::reader::{ReadError, ReaderIdentity, Seen, Shown};
use yufu_base::PublicKey;
use yufu_jose::{Header, SignError, encode_base64url};
use yufu_mdoc::cbor::ShapeError;
use yufu_mdoc::{SessionCipher, SessionData, SessionError, SessionStatus, SessionTranscript};
use yufu_openid4vc::presentation::client_id::X509_HASH;
use yufu_trust::{DisclosedNames, Localized, Receipt, ReceiptError, ReceiptKind, request_digest};

/// A reader's session that is over but for its receipt.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) cipher: SessionCipher,
    pub(crate) conversation: String,
    pub(crate) disclosed: DisclosedNames,
}

/// A device that has answered, and waits for the reader's receipt.
#[derive(Debug)]
pub struct AwaitingReceipt {
    pub(crate) cipher: SessionCipher,
    pub(crate) reader_key: PublicKey,
    pub(crate) conversation: String,
    pub(crate) own: Receipt,
}

/// Why no receipt is given. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThankError {
    /// What was shown does not hold.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The reader's key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It cannot be encrypted.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Why a receipt is not kept. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReceipt {
    /// Not a message of a session.
    #[error(transparent)]
    Message(#[from] ShapeError),
    /// The reader says nothing more: it gives no receipts.
    #[error("the reader gives no receipt")]
    Silent,
    /// Not the next message of this session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Not a receipt of this conversation by the reader's key.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// Of another party, or of other claims than were shown.
    #[error("the reader's receipt says something else than was shown")]
    Different,
}

/// What was said, as text: what receipts commit to, since no signed request stands apart from it.
pub(crate) fn conversation(transcript: &SessionTranscript) -> String {
    encode_base64url(transcript.encode())
}

impl Shown {
    /// As [`Shown::check`], and the message with which the device gets its receipt: which claims were accepted, what
    /// for, and that nothing of them is kept.
    ///
    /// # Errors
    /// [`ThankError`].
    pub fn check_and_thank(
        self,
        known: &Offline<'_>,
        who: ReaderIdentity<'_>,
        purpose: Localized,
    ) -> Result<(Seen, Vec<u8>), ThankError> {
        let (seen, session) = self.checked(known)?;
        let Ended { mut cipher, conversation, disclosed } = session;
        let receipt = Receipt {
            kind: ReceiptKind::Accepted,
            party: format!("{X509_HASH}{}", who.chain.unverified_hash()),
            purpose,
            request_digest: request_digest(&conversation),
            disclosed: vec![disclosed],
            at: known.now,
            retained_until: None,
        };
        let signed = receipt.sign(Header::default().with_chain(who.chain), who.signer)?;
        let data = Some(cipher.encrypt(signed.as_bytes())?);
        let message = SessionData { data, status: Some(SessionStatus::Termination) }.encode();
        Ok((seen, message))
    }
}

impl AwaitingReceipt {
    /// Takes the reader's last word: its receipt, if it proves what was shown.
    ///
    /// # Errors
    /// [`NoReceipt`], the first rule broken.
    pub fn take(mut self, message: &[u8]) -> Result<String, NoReceipt> {
        let data = SessionData::decode(message)?.data.ok_or(NoReceipt::Silent)?;
        let text = self.cipher.decrypt(&data)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let kind = ReceiptKind::Accepted;
        let theirs = Receipt::verify(&text, &self.reader_key, kind, &self.conversation)?;
        if theirs.party == self.own.party && theirs.disclosed == self.own.disclosed {
            Ok(text)
        } else {
            Err(NoReceipt::Different)
        }
    }
}
