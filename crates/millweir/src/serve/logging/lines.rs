//! Lines on their way to stderr: whoever logs never waits for whoever reads.
//!
//! A pipe that nobody reads stops the one thread that writes. The queue then fills up to its bound,
//! further lines are lost and counted, and the loss is told once somebody reads again.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Lines that wait, at most; a line has some hundred bytes.
const LINES_MAX: usize = 8192;
/// Their bytes, at most.
const BYTES_MAX: usize = 4 << 20;
/// Pause between two looks for lines that were left out.
const PAUSE: Duration = Duration::from_secs(1);
/// Time that the last lines have at the end: nobody may be there to read them.
const FINISH_MAX: Duration = Duration::from_secs(1);

/// The queue.
#[derive(Default)]
pub(super) struct Lines {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Vec<u8>>,
    bytes: usize,
    lost: u64,
    /// Lines are being written that are no longer in the queue.
    writing: bool,
    finished: bool,
}

impl Lines {
    /// Starts the thread that writes the lines; about once a second it calls `look`.
    pub(super) fn start(
        self: &Arc<Self>,
        mut out: impl Write + Send + 'static,
        look: impl Fn() + Send + 'static,
    ) -> io::Result<()> {
        let lines = Arc::clone(self);
        thread::Builder::new().name("log".into()).spawn(move || {
            while let Some((queue, lost)) = lines.take() {
                for line in &queue {
                    // A closed stderr is nobody to tell.
                    drop(out.write_all(line));
                }
                lines.written();
                if lost > 0 {
                    tracing::warn!(lost, "nobody took the log, so lines were lost");
                }
                look();
            }
        })?;
        Ok(())
    }

    /// What writes one line in one go.
    pub(super) fn writer(self: &Arc<Self>) -> Writer {
        Writer(Arc::clone(self))
    }

    /// Waits a bounded time until all lines are written.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        state.finished = true;
        self.changed.notify_all();
        let busy = |state: &mut State| state.writing || !state.queue.is_empty();
        drop(self.changed.wait_timeout_while(state, FINISH_MAX, busy));
    }

    fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.queue.len() >= LINES_MAX || state.bytes + line.len() > BYTES_MAX {
            state.lost += 1;
            return;
        }
        state.bytes += line.len();
        state.queue.push_back(line.to_vec());
        drop(state);
        self.changed.notify_all();
    }

    /// All lines, when there are some or a pause has passed; nothing at the end.
    fn take(&self) -> Option<(VecDeque<Vec<u8>>, u64)> {
        let state = self.lock();
        let idle = |state: &mut State| state.queue.is_empty() && !state.finished;
        let waited = self.changed.wait_timeout_while(state, PAUSE, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.finished && state.queue.is_empty() {
            return None;
        }
        state.writing = true;
        state.bytes = 0;
        Some((std::mem::take(&mut state.queue), std::mem::take(&mut state.lost)))
    }

    fn written(&self) {
        self.lock().writing = false;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Lines::writer`].
pub(super) struct Writer(Arc<Lines>);

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    /// Each line waits here until the test takes it.
    struct Slow(SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.send(line.to_vec()).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn started() -> (Arc<Lines>, Receiver<Vec<u8>>) {
        let (taken, lines) = (sync_channel(0), Arc::new(Lines::default()));
        lines.start(Slow(taken.0), || {}).unwrap();
        (lines, taken.1)
    }

    #[test]
    fn lines_come_whole_and_in_order() {
        let (lines, taken) = started();
        for n in 0..100 {
            lines.writer().write_all(format!("line {n}").as_bytes()).unwrap();
        }
        for n in 0..100 {
            assert_eq!(taken.recv().unwrap(), format!("line {n}").as_bytes());
        }
        lines.finish();
    }

    #[test]
    fn nobody_waits_for_a_reader_and_what_is_lost_is_counted() {
        let (lines, taken) = started();
        lines.writer().write_all(b"taken").unwrap();
        while !lines.lock().queue.is_empty() {
            thread::yield_now();
        }
        // From here on the thread waits for a reader, and takes no loss into account.
        for line in [vec![7; 64], vec![7; 64 << 10]] {
            for _ in 0..2 * LINES_MAX {
                lines.writer().write_all(&line).unwrap();
            }
            let state = lines.lock();
            assert!(state.queue.len() <= LINES_MAX && state.bytes <= BYTES_MAX);
            assert!(state.lost >= LINES_MAX as u64 / 2, "{}", state.lost);
        }
        // Whoever read is gone: the end is not waited for.
        drop(taken);
        lines.finish();
    }
}
