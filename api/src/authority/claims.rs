//! From a person's record to the claims of a credential.

use super::Authority;
use super::guardianship::GUARDIANSHIP;
use crate::http::Problem;
use crate::issuer::{UnderWay, claims_of};
use jiff::civil::Date;
use serde_json::{Map, Value};
use yufu_base::Timestamp;
use yufu_population::{Access, PersonId};
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

    /// The claims of a credential about a person: reads the columns that it needs and no others;
    /// the person can see that they were read, and what for. `record` gives what is not in the register.
    pub(super) async fn claims(
        &self,
        person: PersonId,
        kind: &CredentialType,
        purpose: String,
        record: impl Fn(&str) -> Option<String> + Send,
    ) -> Result<Map<String, Value>, Problem> {
        let by = ("credential issuance", "pid-issuer");
        self.claims_by(by, person, kind, purpose, record).await
    }

    /// As [`Authority::claims`], read by somebody else than the issuance: who, and in which role.
    pub(super) async fn claims_by(
        &self,
        (actor, role): (&str, &str),
        person: PersonId,
        kind: &CredentialType,
        purpose: String,
        record: impl Fn(&str) -> Option<String> + Send,
    ) -> Result<Map<String, Value>, Problem> {
        let now = self.now();
        let access = Access {
            actor: actor.to_owned(),
            role: role.to_owned(),
            purpose,
            fields: kind.columns(),
            at: now,
        };
        let excerpt = self.population.read_person(person, &access).await?;
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
