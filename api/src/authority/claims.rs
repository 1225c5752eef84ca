//! From a person's record to the claims of a credential.

use super::Authority;
use super::guardianship::GUARDIANSHIP;
use crate::http::Problem;
use crate::issuer::{UnderWay, claims_of};
use jiff::civil::Date;
use serde_json::{Map, Value};
use yufu_base::Timestamp;
use yufu_population::{Access, Excerpt, PersonId};
use yufu_profile::CredentialType;

impl Authority {
    /// The claims of the credential that an issuance is of, about its person.
    pub(super) async fn claims_for(
        &self,
        under_way: &UnderWay,
    ) -> Result<Map<String, Value>, Problem> {
        let wanted = under_way.credential_id();
        let kind = self.issuer.credentials.iter().find(|kind| kind.id == wanted);
        let kind = kind.ok_or_else(|| Problem::not_found("credential type here"))?;
        if wanted == GUARDIANSHIP {
            return self.guardianship_claims(under_way.subject(), kind).await;
        }
        let purpose = format!("issuing the credential {} to the person's own wallet", kind.id);
        self.claims(PersonId::new(under_way.subject()), kind, purpose, |_| None).await
    }

    /// The claims of a credential about a living person: reads the columns that it needs and no others;
    /// the person can see that they were read, and what for. `record` gives what is not in the register.
    pub(super) async fn claims(
        &self,
        person: PersonId,
        kind: &CredentialType,
        purpose: String,
        record: impl Fn(&str) -> Option<String> + Send,
    ) -> Result<Map<String, Value>, Problem> {
        let access = self.reading(("credential issuance", "pid-issuer"), kind, purpose);
        let excerpt = self.population.read_living(person, &access).await?;
        self.claims_from(&excerpt, kind, record, access.at)
    }

    /// As [`Authority::claims`], read by somebody else than the issuance, of whoever it is: who, and in which role.
    pub(super) async fn claims_by(
        &self,
        by: (&str, &str),
        person: PersonId,
        kind: &CredentialType,
        purpose: String,
        record: impl Fn(&str) -> Option<String> + Send,
    ) -> Result<Map<String, Value>, Problem> {
        let access = self.reading(by, kind, purpose);
        let excerpt = self.population.read_person(person, &access).await?;
        self.claims_from(&excerpt, kind, record, access.at)
    }

    fn reading(
        &self,
        (actor, role): (&str, &str),
        kind: &CredentialType,
        purpose: String,
    ) -> Access {
        let (actor, role) = (actor.to_owned(), role.to_owned());
        Access { actor, role, purpose, fields: kind.columns(), at: self.now() }
    }

    fn claims_from(
        &self,
        excerpt: &Excerpt,
        kind: &CredentialType,
        record: impl Fn(&str) -> Option<String>,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Problem> {
        let today = self.today(now)?;
        let values = kind.values(|column| excerpt.value(column), record, today);
        let values =
            values.ok_or_else(|| Problem::internal("a record lacks a column of its credential"))?;
        Ok(claims_of(values))
    }
}

impl Authority {
    /// The day that it is in the country.
    pub(super) fn today(&self, now: Timestamp) -> Result<Date, Problem> {
        let today = self.offsets.date_at(now);
        today.ok_or_else(|| Problem::internal("the clock is beyond the calendar"))
    }
}
