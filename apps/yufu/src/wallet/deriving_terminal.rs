//! `yufu wallet derive`: credentials from the card on the reader.

use super::deriving::FromCard;
use super::holder::Holder;
use super::saying;
use crate::card;
use crate::command_line::{Data, Deriving};
use crate::data::DataFolder;
use crate::words::say;
use anyhow::Result;
use std::process::ExitCode;

pub(super) async fn run(holder: &mut Holder, data: &Data, options: &Deriving) -> Result<ExitCode> {
    let data = DataFolder::choose(data.data.clone(), "demo")?;
    let access = card::access(&options.opening)?;
    let (mut on_table, place) =
        card::open(&data, options.card.as_deref(), options.reader.as_deref())?;
    let FromCard { received, assurance, card } =
        holder.derive(&mut on_table, access, !options.without_pseudonyms).await?;
    let name = card.details.map_or(card.zone.names.0, |details| details.full_name);
    say!(
        "The card of {name} opened on {place}; the authority's assurance is {assurance}.",
        name = name,
        place = place,
        assurance = assurance
    );
    saying::received(&holder.names(), &received);
    Ok(ExitCode::SUCCESS)
}
