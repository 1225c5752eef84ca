//! The person decides: the device answers, or ends the session.

use crate::receipts::{AwaitingReceipt, conversation};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::ClaimPath;
use yufu_mdoc::{
    DeviceResponse, IssuedMdoc, ItemsRequest, SessionCipher, SessionData, SessionError,
    SessionStatus, SessionTranscript, ShowError,
};
use yufu_trust::{DisclosedNames, Receipt, ReceiptKind, RegistrationCertificate, request_digest};

/// A request of a reader that may ask this, if the person agrees.
#[derive(Debug)]
pub struct Asked {
    pub(crate) cipher: SessionCipher,
    pub(crate) transcript: SessionTranscript,
    pub(crate) reader: String,
    pub(crate) reader_key: PublicKey,
    pub(crate) certificate: RegistrationCertificate,
    pub(crate) items: ItemsRequest,
    pub(crate) elements: Vec<ClaimPath>,
}

/// Why no answer is made. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The document is of another type.
    #[error("the reader asks for a {asked}, this is a {held}")]
    DocType {
        /// What is asked for.
        asked: String,
        /// What this is.
        held: String,
    },
    /// The elements cannot be shown.
    #[error(transparent)]
    Show(#[from] ShowError),
    /// The answer cannot be encrypted.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Asked {
    /// Who asks, why, for how long it keeps what it learns: as registered.
    #[must_use]
    pub const fn certificate(&self) -> &RegistrationCertificate {
        &self.certificate
    }

    /// What is asked: the document's type, and for each element whether the reader means to keep it.
    #[must_use]
    pub const fn items(&self) -> &ItemsRequest {
        &self.items
    }

    /// The conversation, as text: what the receipt commits to, since no signed request stands apart from it.
    #[must_use]
    pub fn conversation(&self) -> String {
        conversation(&self.transcript)
    }

    /// The elements, by namespace and name.
    #[must_use]
    pub fn elements(&self) -> &[ClaimPath] {
        &self.elements
    }

    /// Whether a document has all that is asked.
    #[must_use]
    pub fn is_answered_by(&self, mdoc: &IssuedMdoc) -> bool {
        mdoc.mso().doc_type == self.items.doc_type
            && self.elements.iter().all(|path| !path.select(mdoc.elements()).is_empty())
    }

    /// The person agrees: the message for the reader, which ends the session, and what to keep. Note
    /// that the document was shown before it is sent.
    ///
    /// # Errors
    /// [`AnswerError`], the first rule broken.
    pub fn approve(
        self,
        mdoc: &IssuedMdoc,
        signer: &dyn Signer,
        now: Timestamp,
    ) -> Result<(Vec<u8>, Receipt), AnswerError> {
        self.approve_for_receipt(mdoc, signer, now).map(|(message, receipt, _)| (message, receipt))
    }

    /// As [`Asked::approve`], for a device that waits for the reader's receipt a moment longer: a word of this house's
    /// readers after the session, which others do not say.
    ///
    /// # Errors
    /// [`AnswerError`], the first rule broken.
    pub fn approve_for_receipt(
        mut self,
        mdoc: &IssuedMdoc,
        signer: &dyn Signer,
        now: Timestamp,
    ) -> Result<(Vec<u8>, Receipt, AwaitingReceipt), AnswerError> {
        let held = &mdoc.mso().doc_type;
        if *held != self.items.doc_type {
            let (asked, held) = (self.items.doc_type, held.clone());
            return Err(AnswerError::DocType { asked, held });
        }
        let document = mdoc.show(&self.elements, &self.transcript, signer)?;
        let answer = DeviceResponse::of(vec![document]).encode();
        let data = self.cipher.encrypt(&answer)?;
        let message =
            SessionData { data: Some(data), status: Some(SessionStatus::Termination) }.encode();
        let conversation = self.conversation();
        let receipt = Receipt {
            kind: ReceiptKind::Presented,
            party: self.reader,
            purpose: self.certificate.purpose,
            request_digest: request_digest(&conversation),
            disclosed: vec![DisclosedNames { vct: self.items.doc_type, claims: self.elements }],
            at: now,
            retained_until: None,
        };
        let (cipher, reader_key, own) = (self.cipher, self.reader_key, receipt.clone());
        Ok((message, receipt, AwaitingReceipt { cipher, reader_key, conversation, own }))
    }

    /// The person declines, or has not what is asked: the reader learns only that the session is over.
    #[must_use]
    pub fn decline(self) -> Vec<u8> {
        SessionData { data: None, status: Some(SessionStatus::Termination) }.encode()
    }
}
