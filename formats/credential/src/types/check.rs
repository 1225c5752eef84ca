//! A credential held against its type (section 5.6), by a holder who has all of its disclosures.

use super::extend::ResolvedType;
use super::metadata::SelectiveDisclosure;
use crate::IssuedCredential;
use serde_json::{Map, Value};
use yufu_jose::{ClaimPath, PathStep};

/// Why a credential is not what its type says. Checked in this order, claim by claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypeCheckError {
    /// Of another type.
    #[error("the credential is of the type {actual:?}, the metadata are those of {expected:?}")]
    Type {
        /// The credential's.
        actual: String,
        /// That of the metadata.
        expected: String,
    },
    /// A path leads into something that is no object, or no array.
    #[error("{0} leads through a value of another kind than the type has there")]
    Path(ClaimPath),
    /// A mandatory claim is not there.
    #[error("{0} is not there, and every credential of this type has it")]
    Missing(ClaimPath),
    /// A claim stands in the open that the holder must be able to withhold.
    #[error("{0} cannot be withheld, and in this type it must be possible")]
    MustBeHidden(ClaimPath),
    /// A claim can be withheld that must stand in the open.
    #[error("{0} can be withheld, and in this type it must not be possible")]
    MustBeOpen(ClaimPath),
}

impl ResolvedType {
    /// Holds a credential with all its disclosures against the type. An index counts the elements that are disclosed.
    ///
    /// # Errors
    /// [`TypeCheckError`], the first rule broken.
    pub fn check(&self, credential: &IssuedCredential) -> Result<(), TypeCheckError> {
        let actual = &credential.credential().vct;
        if actual != self.vct() {
            let (actual, expected) = (actual.clone(), self.vct().to_owned());
            return Err(TypeCheckError::Type { actual, expected });
        }
        for claim in self.claims() {
            let path = || claim.path.clone();
            let selected = select(&claim.path, credential.claims());
            let selected = selected.ok_or_else(|| TypeCheckError::Path(path()))?;
            if claim.mandatory == Some(true) && selected.is_empty() {
                return Err(TypeCheckError::Missing(path()));
            }
            let mut hidden = selected.iter().map(|place| credential.is_disclosed_at(place));
            match claim.sd {
                Some(SelectiveDisclosure::Always) if hidden.any(|hidden| !hidden) => {
                    return Err(TypeCheckError::MustBeHidden(path()));
                }
                Some(SelectiveDisclosure::Never) if hidden.any(|hidden| hidden) => {
                    return Err(TypeCheckError::MustBeOpen(path()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where the claims stand that a path selects (section 5.6.1.2); `None` if it leads through a value of another kind.
fn select(path: &ClaimPath, claims: &Map<String, Value>) -> Option<Vec<Vec<PathStep>>> {
    let (first, rest) = path.steps().split_first()?;
    let PathStep::Name(name) = first else { return None };
    let mut selected: Vec<(Vec<PathStep>, &Value)> =
        claims.get(name).map(|value| (vec![first.clone()], value)).into_iter().collect();
    for step in rest {
        let mut next = Vec::new();
        for (place, value) in selected {
            let at = |step: PathStep| place.iter().cloned().chain([step]).collect::<Vec<_>>();
            match (step, value) {
                (PathStep::Name(name), Value::Object(members)) => {
                    next.extend(members.get(name).map(|value| (at(step.clone()), value)));
                }
                (PathStep::Index(index), Value::Array(items)) => {
                    next.extend(items.get(*index).map(|value| (at(step.clone()), value)));
                }
                (PathStep::Every, Value::Array(items)) => {
                    let numbered = items.iter().enumerate();
                    next.extend(numbered.map(|(index, item)| (at(PathStep::Index(index)), item)));
                }
                _ => return None,
            }
        }
        selected = next;
    }
    Some(selected.into_iter().map(|(place, _)| place).collect())
}
