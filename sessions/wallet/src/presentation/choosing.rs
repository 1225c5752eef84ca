//! What the person chooses before she decides: which of the verifier's alternatives, and which of several credentials
//! that would do. Whoever chooses nothing shows the least: the first alternative of what is required, and nothing else.

use super::consent::{Consent, ConsentCredential};
use yufu_openid4vc::dcql::SetChoice;

/// One of the verifier's credential sets: the alternatives that can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Whether one has to be taken.
    pub required: bool,
    /// The alternatives, each the ids of its queries; the verifier's best liked first.
    pub options: Vec<Vec<String>>,
    /// Which is taken, if any.
    pub taken: Option<usize>,
}

/// Why a choice is none. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// There is no such choice, alternative, query or credential.
    #[error("there is no such alternative")]
    Unknown,
    /// One has to be taken.
    #[error("one of the alternatives has to be taken: decline, or choose one")]
    Required,
    /// None was picked, or several where one is asked for.
    #[error("one credential is asked for here: pick one")]
    Count,
}

impl From<SetChoice> for Choice {
    fn from(SetChoice { required, options }: SetChoice) -> Self {
        // What is optional is shown if she says so, and not by default.
        let taken = (required && !options.is_empty()).then_some(0);
        Self { required, options, taken }
    }
}

impl Consent {
    /// Takes an alternative of the choice at a place, or none of it.
    ///
    /// # Errors
    /// [`ChoiceError`]: then nothing is changed.
    pub fn take(&mut self, choice: usize, option: Option<usize>) -> Result<(), ChoiceError> {
        let choice = self.choices.get_mut(choice).ok_or(ChoiceError::Unknown)?;
        match option {
            Some(option) if option >= choice.options.len() => return Err(ChoiceError::Unknown),
            None if choice.required => return Err(ChoiceError::Required),
            _ => choice.taken = option,
        }
        let taken: Vec<&String> = self.choices.iter().flat_map(Choice::queries).collect();
        for credential in &mut self.credentials {
            credential.selected = taken.contains(&&credential.query_id);
        }
        Ok(())
    }

    /// Picks, by their places, which of the credentials that would do for a query are shown.
    ///
    /// # Errors
    /// [`ChoiceError`]: then nothing is changed.
    pub fn pick(&mut self, query_id: &str, places: &[usize]) -> Result<(), ChoiceError> {
        let mut credentials = self.credentials.iter_mut();
        let found = credentials.find(|credential| credential.query_id == query_id);
        found.ok_or(ChoiceError::Unknown)?.pick(places)
    }
}

impl ConsentCredential {
    fn pick(&mut self, places: &[usize]) -> Result<(), ChoiceError> {
        if places.iter().any(|place| *place >= self.holdings.len()) {
            return Err(ChoiceError::Unknown);
        }
        if places.is_empty() || (places.len() > 1 && !self.multiple) {
            return Err(ChoiceError::Count);
        }
        for (place, holding) in self.holdings.iter_mut().enumerate() {
            holding.chosen = places.contains(&place);
        }
        Ok(())
    }
}

impl Choice {
    /// The queries that are answered by what is taken.
    fn queries(&self) -> impl Iterator<Item = &String> {
        self.taken.and_then(|taken| self.options.get(taken)).into_iter().flatten()
    }
}
