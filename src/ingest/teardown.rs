//! Tear-down of pipelines, which may hang, with a deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::Duration;

use super::stats::IngestStats;

/// A pipeline usually stops within 0.1 s. One whose camera stopped in its first moments needs a second or two for a timer in
/// its jitter buffer. Below a second, so that shutdown is prompt and retries do not wait for it.
const DEADLINE: Duration = Duration::from_millis(800);

/// Runs `work` on a thread of its own. Setting a pipeline to NULL joins its streaming threads: that hangs when an element
/// ignores the request, and deadlocks when a streaming thread makes it. After the deadline the thread is left alone, and
/// counted as leaked until it finishes.
pub(super) fn tear_down(stats: &Arc<IngestStats>, work: impl FnOnce() + Send + 'static) {
    within(DEADLINE, stats, work);
}

fn within(deadline: Duration, stats: &Arc<IngestStats>, work: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::sync_channel(1);
    // Set first by the worker at its end or by the waiter at the deadline; the second of them sees that.
    let settled = Arc::new(AtomicBool::new(false));
    let (worker_settled, worker_stats) = (Arc::clone(&settled), Arc::clone(stats));
    let worker = std::thread::Builder::new().name("tear-down".into()).spawn(move || {
        work();
        if worker_settled.swap(true, SeqCst) {
            worker_stats.leaked_pipelines.fetch_sub(1, SeqCst);
        }
        // Fails when nobody waits any more.
        done.send(()).ok();
    });
    if let Err(error) = worker {
        // The closure is dropped, and the pipeline with it, without being stopped.
        stats.leaked_pipelines.fetch_add(1, SeqCst);
        tracing::error!("no thread can be started to close a pipeline: {error}");
        return;
    }
    if finished.recv_timeout(deadline).is_ok() {
        return;
    }
    stats.leaked_pipelines.fetch_add(1, SeqCst);
    if settled.swap(true, SeqCst) {
        stats.leaked_pipelines.fetch_sub(1, SeqCst);
    } else {
        tracing::debug!("a pipeline did not stop in time; its tear-down continues in the background");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hanging_pipeline_is_counted_until_it_stops() {
        let stats = Arc::new(IngestStats::default());
        let (release, held) = mpsc::channel::<()>();
        let (finish, finished) = mpsc::channel::<()>();
        within(Duration::from_millis(5), &stats, move || {
            held.recv().unwrap();
            finish.send(()).unwrap();
        });
        assert_eq!(stats.leaked_pipelines.load(SeqCst), 1);
        release.send(()).unwrap();
        finished.recv().unwrap();
        while stats.leaked_pipelines.load(SeqCst) != 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_stopped_pipeline_is_not_counted() {
        let stats = Arc::new(IngestStats::default());
        for _ in 0..50 {
            tear_down(&stats, || {});
        }
        assert_eq!(stats.leaked_pipelines.load(SeqCst), 0);
    }
}
