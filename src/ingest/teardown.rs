//! Work that may hang, given a deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::Duration;

use super::stats::IngestStats;

/// A pipeline usually comes down within 0.1 s; one whose camera died in its first moments needs a second or two for a
/// timer in its jitter buffer. Kept below a second so that shutdown stays prompt and retries do not wait for it.
const DEADLINE: Duration = Duration::from_millis(800);

/// Runs `work` on a thread of its own: setting a pipeline to NULL joins its streaming threads, which can hang when an
/// element ignores the request, and deadlocks when a streaming thread asks for it. Past the deadline it is left to
/// itself, and counted as leaked until it finishes after all.
pub(super) fn tear_down(stats: &Arc<IngestStats>, work: impl FnOnce() + Send + 'static) {
    within(DEADLINE, stats, work);
}

fn within(deadline: Duration, stats: &Arc<IngestStats>, work: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::sync_channel(1);
    // Whoever comes second, the worker at its end or the waiter at the deadline, sees that the other was there.
    let settled = Arc::new(AtomicBool::new(false));
    let (worker_settled, worker_stats) = (Arc::clone(&settled), Arc::clone(stats));
    let worker = std::thread::Builder::new().name("tear-down".into()).spawn(move || {
        work();
        if worker_settled.swap(true, SeqCst) {
            worker_stats.leaked_pipelines.fetch_sub(1, SeqCst);
        }
        // Nobody may be waiting any more.
        done.send(()).ok();
    });
    if let Err(error) = worker {
        // The work is lost with its closure: what it held is dropped unstopped.
        stats.leaked_pipelines.fetch_add(1, SeqCst);
        tracing::error!(%error, "no thread for a tear-down");
        return;
    }
    if finished.recv_timeout(deadline).is_ok() {
        return;
    }
    stats.leaked_pipelines.fetch_add(1, SeqCst);
    if settled.swap(true, SeqCst) {
        stats.leaked_pipelines.fetch_sub(1, SeqCst);
    } else {
        tracing::debug!("a pipeline takes long to come down; it is left to itself");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_that_hangs_is_left_behind_and_counted_until_it_comes_down() {
        let stats = Arc::new(IngestStats::default());
        let (release, held) = mpsc::channel::<()>();
        let (went, gone) = mpsc::channel::<()>();
        within(Duration::from_millis(5), &stats, move || {
            held.recv().unwrap();
            went.send(()).unwrap();
        });
        assert_eq!(stats.leaked_pipelines.load(SeqCst), 1);
        release.send(()).unwrap();
        gone.recv().unwrap();
        while stats.leaked_pipelines.load(SeqCst) != 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_pipeline_that_comes_down_leaves_nothing() {
        let stats = Arc::new(IngestStats::default());
        for _ in 0..50 {
            tear_down(&stats, || {});
        }
        assert_eq!(stats.leaked_pipelines.load(SeqCst), 0);
    }
}
