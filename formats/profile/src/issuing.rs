//! Which institution issues which credentials: those of its role, and an agency those of its own programmes.

use crate::credential::CredentialType;
use crate::institution::Institution;
use crate::profile::Profile;

impl Profile {
    /// What an institution issues, in the order of the file.
    pub fn issued_by(&self, institution: &Institution) -> impl Iterator<Item = &CredentialType> {
        let runs = |id: &String| {
            self.programmes.iter().any(|one| one.id == *id && one.agency == institution.id)
        };
        let all = self.credentials.iter().filter(|kind| kind.issuer == institution.role);
        all.filter(move |kind| kind.programme.as_ref().is_none_or(runs))
    }
}

impl CredentialType {
    /// The names by which the trust list lets somebody issue it: its type as SD-JWT VC and, if there is one, as mdoc.
    pub fn listed(&self) -> impl Iterator<Item = &str> {
        [Some(&self.vct), self.doctype.as_ref()].into_iter().flatten().map(String::as_str)
    }
}
