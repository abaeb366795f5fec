//! Proof of work on threads that may block: as long as it takes, and not a step longer than it is wanted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::mpsc;

use crate::{
    node::WorkId,
    work::{Proof, Puzzle},
};

/// A search under way; dropping it ends the search after its current step, some milliseconds.
#[derive(Debug)]
pub(super) struct Work {
    wanted: Arc<AtomicBool>,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::Relaxed);
    }
}

/// A search, and the job that a blocking thread has to run for it.
pub(super) fn begin(
    id: WorkId,
    puzzle: Puzzle,
    found: mpsc::Sender<(WorkId, Proof)>,
) -> (Work, impl FnOnce() + Send + 'static) {
    let wanted = Arc::new(AtomicBool::new(true));
    let work = Work { wanted: Arc::clone(&wanted) };
    let job = move || {
        let mut search = puzzle.begin();
        while wanted.load(Ordering::Relaxed) {
            if let Some(proof) = search.step() {
                // The node may be gone.
                let _ = found.blocking_send((id, proof));
                return;
            }
        }
    };
    (work, job)
}

#[cfg(test)]
mod tests {
    use relay::UnixTime;

    use super::*;
    use crate::{config::Network, identity::Identity, username::Username};

    fn puzzle(network: Network) -> Puzzle {
        let key = Identity::from_secret([1; 32]).public_key();
        Puzzle::of(network, &Username::parse("ada").unwrap(), key, UnixTime::from_secs(1))
    }

    #[test]
    fn a_search_reports_its_proof_and_one_that_nobody_wants_ends_without() {
        let (found, mut proofs) = mpsc::channel(1);
        let (_work, job) = begin(WorkId::first(), puzzle(Network::Lab), found.clone());
        job();
        assert!(puzzle(Network::Lab).is_solved(&proofs.try_recv().unwrap().1));

        let (work, job) = begin(WorkId::first(), puzzle(Network::Main), found);
        drop(work);
        job();
        assert!(proofs.try_recv().is_err());
    }
}
