//! Many wallets go through the same flow, a step at a time: all send their requests of one step, and what they do
//! between the steps is on no clock. A flow is whatever says what it asks next; how many steps it has, and which,
//! is its own affair.

use super::city::City;
use crate::http::{FEW, MANY, Prepared, Server, measure};
use crate::stopwatch::{Between, Stopwatch, number};
use anyhow::{Context, Result, ensure};
use yufu_openid4vc::{HttpRequest, HttpResponse};

/// A wallet on its way.
pub(super) trait Walk {
    /// Takes the answer to what it asked last, and says what it asks next, and what that step is called; nothing
    /// when it is at its end.
    fn next(
        &mut self,
        city: &mut City,
        answer: Option<HttpResponse>,
    ) -> Result<Option<(&'static str, HttpRequest)>>;
}

/// One wallet in so many goes on few connections, where waiting is measured; the others on many, where as much as can
/// be done is.
const WAITING: usize = 8;

/// What a flow took, each.
pub(super) struct Walked {
    /// Of those on many connections.
    flows: usize,
    seconds: f64,
    /// The server's processor time in its own code and in the kernel, in microseconds.
    pub(super) user: f64,
    pub(super) kernel: f64,
    /// What sending the requests and reading the answers took, with the kernel's, in microseconds.
    pub(super) clients: f64,
    /// The wallets' processor time between the steps, in microseconds.
    pub(super) wallet: f64,
    /// The bare cryptography of a flow, measured before and after each step, in microseconds.
    pub(super) bare: f64,
    pub(super) steps: Vec<Step>,
}

/// What a step took, each.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) user: f64,
    /// Half, and all but one in a hundred, waited no longer, in milliseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Walked {
    pub(super) fn per_second(&self) -> f64 {
        number(self.flows) / self.seconds
    }

    /// The same with the clients' processor time taken off, which they take from the server on as many cores.
    pub(super) fn per_second_apart(&self, cores: usize) -> f64 {
        let clients = self.clients * number(self.flows) / 1e6 / number(cores);
        number(self.flows) / (self.seconds - clients)
    }
}

/// Has all wallets go to the end, the bare cryptography of their flow measured in between.
pub(super) fn walk<W: Walk>(
    server: &Server,
    city: &mut City,
    wallets: &mut [W],
    mut bare: Between<'_>,
) -> Result<Walked> {
    let waiting = wallets.len().div_ceil(WAITING);
    let mut walked = Walked {
        flows: wallets.len().saturating_sub(waiting),
        seconds: 0.0,
        user: 0.0,
        kernel: 0.0,
        clients: 0.0,
        wallet: 0.0,
        bare: 0.0,
        steps: Vec::new(),
    };
    let mut answers: Vec<Option<HttpResponse>> = wallets.iter().map(|_| None).collect();
    loop {
        bare.measure()?;
        let watch = Stopwatch::start();
        let mut asked = Vec::with_capacity(wallets.len());
        let mut name = None;
        for (wallet, answer) in wallets.iter_mut().zip(answers) {
            let Some((step, request)) = wallet.next(city, answer)? else { continue };
            ensure!(name.is_none_or(|name| name == step), "wallets are at different steps");
            name = Some(step);
            asked.push(Prepared::of(&request));
        }
        walked.wallet += watch.cpu_seconds() * 1e6 / number(wallets.len());
        let Some(name) = name else {
            walked.bare = bare.mean();
            return Ok(walked);
        };
        ensure!(asked.len() == wallets.len(), "some wallets are at their end before others");
        let (few, many) = asked.split_at(waiting);
        let measured = |asked, connections| {
            measure(&server.target, asked, connections).with_context(|| format!("the step {name}"))
        };
        let (waits, rate) = (measured(few, FEW)?, measured(many, MANY)?);
        walked.seconds += rate.seconds;
        walked.user += rate.user;
        walked.kernel += rate.kernel;
        walked.clients += rate.clients;
        let (p50, p99) = (waits.wait(50), waits.wait(99));
        walked.steps.push(Step { name, user: rate.user, p50, p99 });
        answers = waits.answers.into_iter().chain(rate.answers).map(Some).collect();
    }
}
