//! Verifies the signatures of a record's commands, on all cores: it is what an audit spends
//! its time on.

use std::num::NonZero;
use std::thread;
use yufu_machine::Submission;

/// Fewer signatures are verified sooner than threads are started.
const WORTH_A_THREAD: usize = 4;

/// For each command, whether its signature is one of the key it names.
pub(crate) fn verify_all(commands: &[Submission]) -> Vec<bool> {
    if commands.len() < WORTH_A_THREAD {
        return commands.iter().map(verify).collect();
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = commands.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = commands
            .chunks(share)
            .map(|chunk| (chunk.len(), scope.spawn(|| chunk.iter().map(verify).collect())))
            .collect();
        // A worker that panicked has verified nothing.
        let join = |(len, worker): (usize, thread::ScopedJoinHandle<'_, Vec<bool>>)| {
            worker.join().unwrap_or_else(|_| vec![false; len])
        };
        workers.into_iter().flat_map(join).collect()
    })
}

fn verify(command: &Submission) -> bool {
    let bytes = Submission::signing_bytes(&command.institution, &command.order);
    yufu_jose::verify(&command.key, &bytes, &command.signature).is_ok()
}
