//! `yufu verify`: a verification from a terminal or a script; programs use the crate `yufu-verify` likewise.

use crate::command_line;
use crate::verifying_near;
use crate::words::{say, text};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use yufu_verify::{Outcome, Verify};

pub(crate) fn run(options: &command_line::Verify) -> Result<ExitCode> {
    let token = std::fs::read_to_string(&options.token).with_context(|| {
        text!(
            "the token of the desk cannot be read from {path}: it lies in the verifier's data folder, as keys/desk.token",
            path = options.token.display()
        )
    })?;
    let verify = Verify::at(&options.at, token.trim().to_owned())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &options.near {
        Some(code) => runtime.block_on(verifying_near::ask(options, &verify, code)),
        None => runtime.block_on(ask(options, &verify)),
    }
}

async fn ask(options: &command_line::Verify, verify: &Verify) -> Result<ExitCode> {
    let started = match (&options.origin, &options.query) {
        (Some(origin), _) => verify.start_on_page(&options.purpose, origin).await?,
        (None, Some(file)) => verify.start_query(&options.purpose, read_query(file)?).await?,
        (None, None) => verify.start(&options.purpose).await?,
    };
    if options.json {
        println!("{}", serde_json::to_string(&started)?);
    } else {
        say!("For the person's wallet: {link}", link = started.link);
        if let Some(request) = &started.digital_credential {
            let (protocol, data) = (&request.protocol, &request.data);
            let given = json!({"protocol": protocol, "data": data});
            say!("For navigator.credentials.get on a page: {request}", request = given);
            say!("What the page gets is posted to: {address}", address = request.answer_to);
        }
    }
    // Whoever reads along, shows it.
    std::io::stdout().flush()?;
    let outcome = verify.wait(&started, Duration::from_secs(options.wait)).await?;
    if options.json {
        println!("{}", serde_json::to_string(&outcome)?);
    } else {
        println!("{}", words(&outcome));
    }
    if !matches!(outcome, Outcome::Yes(_)) {
        return Ok(ExitCode::FAILURE);
    }
    if let (false, Some(why)) = (options.claims.is_empty(), &options.why) {
        let names: Vec<&str> = options.claims.iter().map(String::as_str).collect();
        let claims = verify.claims(&started.id, &names, why).await?;
        if options.json {
            println!("{}", serde_json::to_string(&claims)?);
        } else {
            for (name, value) in &claims {
                println!("  {name} = {value}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_query(file: &Path) -> Result<Value> {
    let read = std::fs::read(file).map_err(anyhow::Error::from);
    read.and_then(|text| Ok(serde_json::from_slice(&text)?)).with_context(|| {
        text!("the query cannot be read from {path}: it is DCQL as JSON", path = file.display())
    })
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Yes(_) => text!("Yes: verified, and all that was asked holds."),
        Outcome::No(_) => text!("No: verified, and something that was asked does not hold."),
        Outcome::Declined => text!("The person declined."),
        Outcome::Expired => text!("Nobody answered in time: start another one."),
        Outcome::Waiting { refusal: None } => {
            text!("Nobody has answered yet, and the patience is over: ask again with --wait.")
        }
        Outcome::Waiting { refusal: Some(code) } => {
            text!("An answer was refused ({code}), and no other came.", code = code)
        }
    }
}
