//! Which classes of wallet a bank opens, and what it takes to open each: what a wallet has to know
//! before it can ask for one.

use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A class of wallet that a bank opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenedClass {
    /// Its name.
    pub class: String,
    /// What opens it: `identity` from afar, `phone_or_token`, `linked_account`, or `in_person`.
    pub by: String,
    /// How many of it one person or number may have.
    pub at_most: u32,
}

/// The classes of wallet that the bank opens, and what opens each.
#[utoipa::path(get, path = "/banks/{bank}/v1/classes", tag = "bank",
    params(("bank" = String, Path, description = "the bank")),
    responses((status = 200, body = [OpenedClass]), (status = 404, body = ProblemBody)))]
pub(super) async fn classes(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<Vec<OpenedClass>>, Problem> {
    Ok(Json(named(&banks, &bank)?.classes()))
}

impl Bank {
    fn classes(&self) -> Vec<OpenedClass> {
        let rules = &self.wallet_rules;
        let (remote, in_person) = (rules.opening.remote(), rules.opening.in_person());
        let ways: [(&str, bool, &BTreeMap<String, u32>); 4] = [
            ("identity", remote, &self.remote_classes),
            ("phone_or_token", true, &rules.anonymous),
            ("linked_account", true, &rules.linked),
            ("in_person", in_person, &rules.in_person),
        ];
        let open = ways.into_iter().filter(|(_, open, _)| *open);
        open.flat_map(|(by, _, classes)| {
            classes.iter().map(move |(class, at_most)| OpenedClass {
                class: class.clone(),
                by: by.to_owned(),
                at_most: *at_most,
            })
        })
        .collect()
    }
}
