//! What identity costs: credentials issued and presented over HTTP, at a server of its own, beside their bare
//! cryptography.

mod attested;
mod bare;
mod city;
mod issuing;
mod presenting;
mod provider;
mod walk;

use crate::http::Server;
use crate::stopwatch::number;
use crate::{Figure, Report, Yardstick};
use anyhow::Result;
use attested::Attested;
use city::City;
use issuing::Getting;
use presenting::Showing;
use provider::Provider;
use std::path::Path;
use std::rc::Rc;
use std::thread;
use walk::{Walked, walk};
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Issuances, and presentations.
    flows: usize,
}

/// The most flows of bare cryptography that a slice of it has, on each core.
const BARE: usize = 400;

impl Size {
    /// Some minutes.
    pub const FULL: Self = Self { flows: 10_000 };
    /// Under a minute: the same names, fewer flows.
    pub const QUICK: Self = Self { flows: 1_000 };
}

/// What is being measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Residents are identified at a counter, and get the offers that are taken up then.
    Preparing,
    /// Credentials are issued, what that takes of bare cryptography measured in between.
    Issuing,
    /// Credentials are presented, likewise.
    Presenting,
}

/// Measures everything, at a server that `program` serves from `folder`, with the residents whose numbers the
/// sample city has.
///
/// # Errors
/// If something cannot be set up, or a flow is refused.
pub fn run(
    size: Size,
    program: &Path,
    folder: &Path,
    residents: &[String],
    tell: &mut dyn FnMut(Stage),
) -> Result<Report> {
    let server = Server::start(program, folder)?;
    let mut city = City::enter(&server)?;
    tell(Stage::Preparing);
    // By turns in one format and in the other.
    let provider = Rc::new(Provider::register(&server, &mut city)?);
    let mut attested = Vec::with_capacity(size.flows);
    let mut plain = Vec::with_capacity(size.flows);
    for flow in 0..size.flows {
        let place = flow.checked_rem(residents.len()).unwrap_or(0);
        let number = residents.get(place).map_or("", String::as_str);
        let format = if flow.is_multiple_of(2) { FORMAT_SD_JWT_VC } else { FORMAT_MSO_MDOC };
        let offer = city.offer(number)?;
        attested.push(Attested::new(&mut city, &provider, &offer, format)?);
        let other = city.offer(number)?;
        plain.push(Getting::new(&mut city, &other, format)?);
    }
    tell(Stage::Issuing);
    let times = size.flows.min(BARE);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let issued = walk(&server, &mut city, &mut attested, bare::issuance(times, cores)?)?;
    let preauthorized = walk(&server, &mut city, &mut plain, bare::preauthorized(times, cores)?)?;
    tell(Stage::Presenting);
    let party = server.verifier()?;
    let mut showing = Vec::with_capacity(size.flows);
    for wallet in attested {
        showing.push(Showing::new(&server, &party, wallet.received()?)?);
    }
    let presented = walk(&server, &mut city, &mut showing, bare::presentation(times, cores)?)?;
    drop(server);
    let mut all = Vec::new();
    for (name, unit, walked) in [
        ("issuance", "issuances/s", &issued),
        ("preauthorized", "issuances/s", &preauthorized),
        ("presentation", "presentations/s", &presented),
    ] {
        all.extend(figures((name, unit), walked, cores));
    }
    Ok(Report { bench: "identity", figures: all })
}

/// What a kind of flow took: its rate with the wallets' work on no clock, without and with the clients' processor time; the
/// server's processor time beside the bare cryptography; the clients' and the wallets'.
fn figures((name, unit): (&str, &'static str), walked: &Walked, cores: usize) -> Vec<Figure> {
    let bare = walked.bare;
    let (rate, cpu) = match name {
        "issuance" => ("1,500 a second on two cores", "at most twice its bare cryptography"),
        "preauthorized" => ("stated", "stated"),
        _ => ("3,000 a second on two cores", "at most twice its bare cryptography"),
    };
    let on_all = Yardstick {
        name: "its bare cryptography on all cores".to_owned(),
        value: number(cores) * 1e6 / bare,
        unit,
    };
    let alone = Yardstick { name: "its bare cryptography".to_owned(), value: bare, unit: "CPU us" };
    let mut figures = vec![
        Figure::beside(name, walked.per_second_apart(cores), unit, on_all, rate),
        Figure::alone(format!("{name}.together"), walked.per_second(), unit, "stated"),
        Figure::beside(format!("{name}.cpu"), walked.user, "CPU us", alone, cpu),
        Figure::alone(format!("{name}.kernel"), walked.kernel, "CPU us", "stated"),
        Figure::alone(format!("{name}.clients"), walked.clients, "CPU us", "stated"),
        Figure::alone(format!("{name}.wallet"), walked.wallet, "CPU us", "stated: on no clock"),
    ];
    for step in &walked.steps {
        let name = format!("{name}.{}", step.name);
        figures.push(Figure::alone(format!("{name}.cpu"), step.user, "CPU us", "stated"));
        figures.push(Figure::alone(format!("{name}.p50"), step.p50, "ms", "32 requests at once"));
        figures.push(Figure::alone(format!("{name}.p99"), step.p99, "ms", "32 requests at once"));
    }
    figures
}
