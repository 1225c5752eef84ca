//! Basic access control (ICAO 9303-11, 4.3): both sides prove that they know what the machine-readable zone says.
//! Weaker than PACE; kept for readers that know nothing else.

use crate::crypto::{
    CipherError, SessionKeys, Suite, decrypt_with, document_key_seed, encrypt_with, retail_mac,
};
use crate::secure_messaging::Channel;
use zeroize::Zeroizing;

/// Why basic access control failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BacError {
    /// The other side does not know the zone, or the message was changed.
    #[error("the other side does not know what this card's zone says")]
    Failed,
}

impl From<CipherError> for BacError {
    fn from(_: CipherError) -> Self {
        Self::Failed
    }
}

/// The keys that a zone leads to.
#[derive(Clone)]
pub struct DocumentKeys {
    encryption: Zeroizing<Vec<u8>>,
    authentication: Zeroizing<Vec<u8>>,
}

/// What one side draws: eight bytes against repetition, sixteen for the session's keys.
#[derive(Clone)]
pub struct Contribution {
    /// Against repetition.
    pub nonce: [u8; 8],
    /// For the keys.
    pub key: [u8; 16],
}

/// The sender's nonce, the receiver's, and the sender's part of the keys.
type Opened = ([u8; 8], [u8; 8], Zeroizing<[u8; 16]>);

impl DocumentKeys {
    /// The keys of a zone's information (see [`crate::mrz::Mrz::information`]).
    #[must_use]
    pub fn of(information: &str) -> Self {
        let seed = document_key_seed(information);
        Self {
            encryption: Suite::TripleDes.derive(seed.as_ref(), 1),
            authentication: Suite::TripleDes.derive(seed.as_ref(), 2),
        }
    }

    /// The keys themselves, for tests of worked examples.
    #[must_use]
    pub fn exposed(&self) -> (&[u8], &[u8]) {
        (&self.encryption, &self.authentication)
    }

    /// What the reader sends in answer to the card's nonce: 40 bytes.
    ///
    /// # Errors
    /// [`BacError`]: does not happen.
    pub fn ask(&self, own: &Contribution, other: &[u8; 8]) -> Result<Vec<u8>, BacError> {
        self.seal(&own.nonce, other, &own.key)
    }

    /// The card's side: checks what the reader sent, and gives the answer and the session.
    ///
    /// # Errors
    /// [`BacError::Failed`] if the reader does not know the zone.
    pub fn answer(&self, own: &Contribution, sent: &[u8]) -> Result<(Vec<u8>, Channel), BacError> {
        let (theirs, ours, key) = self.unseal(sent)?;
        if ours != own.nonce {
            return Err(BacError::Failed);
        }
        let answer = self.seal(&own.nonce, &theirs, &own.key)?;
        Ok((answer, session(&key, &own.key, &own.nonce, &theirs)))
    }

    /// The reader's side: checks the card's answer, and gives the session.
    ///
    /// # Errors
    /// [`BacError::Failed`] if the card does not know the zone, or answers to something else.
    pub fn complete(
        &self,
        own: &Contribution,
        other: &[u8; 8],
        answer: &[u8],
    ) -> Result<Channel, BacError> {
        let (theirs, ours, key) = self.unseal(answer)?;
        if ours != own.nonce || theirs != *other {
            return Err(BacError::Failed);
        }
        Ok(session(&own.key, &key, other, &own.nonce))
    }

    fn seal(&self, first: &[u8; 8], second: &[u8; 8], key: &[u8; 16]) -> Result<Vec<u8>, BacError> {
        let plain = Zeroizing::new([first.as_slice(), second, key].concat());
        let mut sealed = encrypt_with(Suite::TripleDes, &self.encryption, &[0; 8], &plain)?;
        let sum = retail_mac(&self.authentication, &sealed)?;
        sealed.extend(sum);
        Ok(sealed)
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Opened, BacError> {
        let (blocks, sum) = sealed.split_last_chunk::<8>().ok_or(BacError::Failed)?;
        let right = retail_mac(&self.authentication, blocks)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(&right, sum)
            .map_err(|_| BacError::Failed)?;
        let plain =
            Zeroizing::new(decrypt_with(Suite::TripleDes, &self.encryption, &[0; 8], blocks)?);
        let (first, rest) = plain.split_first_chunk::<8>().ok_or(BacError::Failed)?;
        let (second, key) = rest.split_first_chunk::<8>().ok_or(BacError::Failed)?;
        let key: [u8; 16] = key.try_into().map_err(|_| BacError::Failed)?;
        Ok((*first, *second, Zeroizing::new(key)))
    }
}

/// The session of both contributions: keys of the reader and of the card, nonces of the card and of the reader.
fn session(reader: &[u8; 16], card: &[u8; 16], of_card: &[u8; 8], of_reader: &[u8; 8]) -> Channel {
    let mut seed = Zeroizing::new(*reader);
    seed.iter_mut().zip(card).for_each(|(byte, other)| *byte ^= other);
    let mut start = [0; 8];
    let halves = of_card.iter().skip(4).chain(of_reader.iter().skip(4));
    start.iter_mut().zip(halves).for_each(|(to, from)| *to = *from);
    Channel::counting_from(SessionKeys::derive(Suite::TripleDes, seed.as_ref()), start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apdu::Command;

    #[test]
    fn whoever_knows_the_zone_gets_a_session_and_nobody_else() {
        let keys = DocumentKeys::of("L898902C<369080619406236");
        let reader = Contribution { nonce: [1; 8], key: [2; 16] };
        let card = Contribution { nonce: [3; 8], key: [4; 16] };
        let sent = keys.ask(&reader, &card.nonce).unwrap();
        let (answer, mut chip) = keys.answer(&card, &sent).unwrap();
        let mut session = keys.complete(&reader, &card.nonce, &answer).unwrap();
        let command = Command::new(0xA4, (2, 0x0C), vec![1, 0x1E]);
        assert_eq!(chip.receive(&session.protect(&command).unwrap()), Ok(command));

        let stranger = DocumentKeys::of("L898902C<369080619406237");
        let guessed = stranger.ask(&reader, &card.nonce).unwrap();
        assert!(keys.answer(&card, &guessed).is_err());
        let later = Contribution { nonce: [9; 8], key: [4; 16] };
        assert!(keys.answer(&later, &sent).is_err(), "a repeated message");
        assert!(keys.complete(&later, &card.nonce, &answer).is_err());
    }
}
