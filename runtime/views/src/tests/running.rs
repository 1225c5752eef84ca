//! Beside a server: kept up, asked, and honest about how far it has come.

use super::support::{Kept, Written};
use crate::{AskError, ViewError, Views};
use std::sync::Arc;
use std::time::Duration;
use yufu_base::{AccountId, CommandId};
use yufu_log::{Log, LogError, Seq};
use yufu_machine::{Action, Direction};
use yufu_simulator::City;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn an_answer_says_how_far_the_view_has_come_and_may_be_waited_for() {
    let (mut written, kept, city) = (Written::by(1, 20), Kept::new(), City::new(false));
    let log = written.log.clone();
    let open = Arc::new(move || Ok(Box::new(log.clone()) as Box<dyn Log>));
    let views = Views::start(kept.place.clone(), open).unwrap();
    let newest = written.log.durable_head().unwrap().seq;
    let through = views.ask((None, PATIENCE), |view| Ok(view.through()?)).unwrap();
    assert_eq!(through.seq, newest);
    // It is asked for a record that is not there yet, and told so in time.
    let next = newest.next();
    let early = views.ask((Some(next), Duration::from_millis(20)), |view| Ok(view.through()?));
    assert_eq!(early, Err(AskError::Behind { through }));
    let at = through.at.plus_seconds(1);
    let direction = Direction::PaperToDigital(AccountId::new(1));
    let action = Action::Exchange { direction, amount: city.amount(1) };
    written.append(at, vec![city.signed("bank-a", CommandId::at(at, 77), action)]);
    let later = views.ask((Some(next), PATIENCE), |view| Ok(view.through()?)).unwrap();
    assert_eq!((later.seq, later.at), (next, at));
    views.shutdown();
    // Another process may keep it up, and this one only ask.
    let apart = Views::apart(kept.place.clone());
    assert_eq!(apart.ask((Some(next), PATIENCE), |view| Ok(view.through()?)), Ok(later));
    let early = apart.ask((Some(next.next()), Duration::ZERO), |view| Ok(view.through()?));
    assert_eq!(early, Err(AskError::Behind { through: later }));
}

#[test]
fn what_stops_the_follower_is_said_to_whoever_asks() {
    let kept = Kept::new();
    let error = LogError::Malformed("a test".to_owned());
    let failing = error.clone();
    let open = Arc::new(move || Err(failing.clone()));
    let views = Views::start(kept.place.clone(), open).unwrap();
    let told = views.ask((None, PATIENCE), |view| Ok(view.through()?));
    assert_eq!(told, Err(AskError::Stopped(ViewError::Log(error))));
    let apart = Views::apart(kept.place.clone());
    let told = apart.ask((Some(Seq::FIRST), PATIENCE), |view| Ok(view.through()?));
    assert!(matches!(told, Err(AskError::Stopped(ViewError::Missing(_)))), "{told:?}");
}
