//! A second thread for large content: one thread makes blocks of octets, the
//! other works on them. Reading, transfer encoding and DER go on while content is
//! hashed, decrypted or written.
//!
//! The second thread is started only when there is enough to do, and has ended
//! when the work is done. A fixed number of blocks goes round between the two, so
//! that the slower one holds the other back and memory stays bounded.

use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Builder, Scope, ScopedJoinHandle};

use zeroize::Zeroizing;

/// Octets that are handed over; they may be plaintext, and are wiped.
pub(crate) type Block = Zeroizing<Vec<u8>>;

/// Octets of one block: a multiple of every cipher's block length.
pub(crate) const BLOCK: usize = 128 << 10;

/// Octets of the first block: most mail is small, and wiping takes its time.
pub(crate) const FIRST: usize = 4 << 10;

/// Octets that are worked on before a second thread pays.
const ALONE: u64 = 4 << 20;

/// Blocks that go round.
const BLOCKS: usize = 4;

/// Where blocks are handed over.
pub(crate) trait Hand {
    /// Gives a block away, whatever its length; in its place comes one that was
    /// used before, or an empty one.
    ///
    /// # Errors
    /// What the work on this block, or on one before it, said.
    fn hand(&mut self, block: &mut Block) -> io::Result<()>;
}

/// Has `work` done on every block that `make` hands over, in their order.
///
/// # Errors
/// What the work on one of the last blocks said, if `make` could not be told any more.
pub(crate) fn overlapped<'env, T>(
    work: impl FnMut(&mut [u8]) -> io::Result<()> + Send + 'env,
    make: impl FnOnce(&mut dyn Hand) -> T,
) -> io::Result<T> {
    thread::scope(|scope| {
        let mut hands = Hands { scope, alone: ALONE, side: Side::Here(work) };
        let made = make(&mut hands);
        hands.finish().map(|()| made)
    })
}

/// Reads blocks with `read` to their end, which is an empty one, and has `work`
/// done on them.
///
/// # Errors
/// What `work` said. What `read` said is the inner error.
pub(crate) fn each_block<'env, E>(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, E>,
    work: impl FnMut(&mut [u8]) -> io::Result<()> + Send + 'env,
) -> io::Result<Result<(), E>> {
    overlapped(work, |hands| {
        let mut size = FIRST;
        let mut block = Block::new(vec![0; size]);
        loop {
            match read(&mut block) {
                Ok(0) => return Ok(Ok(())),
                Ok(read) => {
                    block.truncate(read);
                    if read == size {
                        size = BLOCK;
                    }
                }
                Err(error) => return Ok(Err(error)),
            }
            hands.hand(&mut block)?;
            if block.capacity() < size {
                // Grown, it would leave a copy behind.
                block = Block::new(Vec::with_capacity(size));
            }
            block.resize(size, 0);
        }
    })?
}

struct Hands<'scope, 'env, W> {
    scope: &'scope Scope<'scope, 'env>,
    /// Octets that are still worked on in this thread.
    alone: u64,
    side: Side<'scope, W>,
}

/// Where the work is done.
enum Side<'scope, W> {
    Here(W),
    There(Lane<'scope>),
    /// In no place: it failed.
    Ended,
}

/// The way to the other thread and back.
struct Lane<'scope> {
    full: SyncSender<Block>,
    used: Receiver<Block>,
    worker: ScopedJoinHandle<'scope, io::Result<()>>,
    /// Blocks that were sent and came not back yet.
    under_way: usize,
}

impl<'scope, 'env, W: FnMut(&mut [u8]) -> io::Result<()> + Send + 'env> Hands<'scope, 'env, W> {
    /// Moves the work to another thread, if there is a processor for one.
    fn part(&mut self) {
        self.alone = u64::MAX;
        if thread::available_parallelism().map_or(1, NonZero::get) < 2 {
            return;
        }
        let (full, blocks) = sync_channel::<Block>(BLOCKS);
        let (back, used) = sync_channel::<Block>(BLOCKS);
        // The work follows when the thread is there, and stays here if none can be had.
        let (give, given) = sync_channel::<W>(1);
        let worker = Builder::new().spawn_scoped(self.scope, move || {
            let Ok(mut work) = given.recv() else { return Ok(()) };
            for mut block in blocks {
                work(&mut block)?;
                // Nobody waits for it at the end.
                let _ = back.send(block);
            }
            Ok(())
        });
        let Ok(worker) = worker else { return };
        let lane = Side::There(Lane { full, used, worker, under_way: 0 });
        if let Side::Here(work) = std::mem::replace(&mut self.side, lane) {
            let _ = give.send(work);
        }
    }

    /// Waits until everything that was handed over is done.
    fn finish(&mut self) -> io::Result<()> {
        let Side::There(Lane { full, worker, used, .. }) = std::mem::replace(&mut self.side, Side::Ended) else {
            return Ok(());
        };
        drop(full);
        let done = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        drop(used);
        done
    }

    /// The other thread takes nothing more: what it said.
    fn failed(&mut self) -> io::Error {
        self.finish().err().unwrap_or_else(|| io::Error::other("the work on an earlier block failed"))
    }
}

impl<'scope, 'env, W: FnMut(&mut [u8]) -> io::Result<()> + Send + 'env> Hand for Hands<'scope, 'env, W> {
    fn hand(&mut self, block: &mut Block) -> io::Result<()> {
        let lane = match &mut self.side {
            Side::Here(work) => {
                work(block)?;
                self.alone = self.alone.saturating_sub(block.len() as u64);
                if self.alone == 0 {
                    self.part();
                }
                return Ok(());
            }
            Side::There(lane) => lane,
            Side::Ended => return Err(self.failed()),
        };
        let next = if lane.under_way < BLOCKS {
            lane.under_way += 1;
            Some(Block::default())
        } else {
            lane.used.recv().ok()
        };
        let sent = next.is_some_and(|next| lane.full.send(std::mem::replace(block, next)).is_ok());
        if sent { Ok(()) } else { Err(self.failed()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough for a second thread, and then some more.
    const LARGE: usize = ALONE as usize + 20 * BLOCK + 7;

    fn octets(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at ^ at >> 8 ^ at >> 16) as u8).collect()
    }

    #[test]
    fn blocks_come_in_their_order() {
        for len in [0, 1, FIRST, FIRST + 1, BLOCK, ALONE as usize - 1, ALONE as usize, ALONE as usize + 1, LARGE] {
            let all = octets(len);
            let mut left = all.as_slice();
            let mut seen = Vec::new();
            let mut threads = std::collections::HashSet::new();
            let read = |block: &mut [u8]| io::Read::read(&mut left, block);
            let work = |block: &mut [u8]| {
                threads.insert(thread::current().id());
                seen.extend_from_slice(block);
                Ok(())
            };
            each_block(read, work).unwrap().unwrap();
            assert!(seen == all, "{len}");
            // What is left in the block that reaches the limit is worked on in the first one, too.
            let second = len >= ALONE as usize + BLOCK && thread::available_parallelism().unwrap().get() > 1;
            assert_eq!(threads.len(), if len == 0 { 0 } else { 1 + usize::from(second) }, "{len}");
        }
    }

    #[test]
    fn what_the_work_says_comes_back_wherever_it_is_done() {
        for fails_at in [0, ALONE as usize, ALONE as usize + 5 * BLOCK, LARGE - 1] {
            let all = octets(LARGE);
            let (mut left, mut done) = (all.as_slice(), 0);
            let read = |block: &mut [u8]| io::Read::read(&mut left, block);
            let work = |block: &mut [u8]| {
                done += block.len();
                if done > fails_at { Err(io::Error::other("full")) } else { Ok(()) }
            };
            assert_eq!(each_block(read, work).unwrap_err().to_string(), "full", "{fails_at}");
        }
    }

    #[test]
    fn what_the_reading_says_comes_back_after_the_work() {
        for fails_at in [0, ALONE as usize + 5 * BLOCK] {
            let (mut made, mut done) = (0, 0);
            let read = |block: &mut [u8]| {
                if made >= fails_at {
                    return Err("damaged");
                }
                made += block.len();
                Ok(block.len())
            };
            let work = |block: &mut [u8]| {
                done += block.len();
                Ok(())
            };
            assert_eq!(each_block(read, work).unwrap(), Err("damaged"));
            assert_eq!(done, made, "everything before the damage was worked on");
        }
    }

    #[test]
    fn a_panic_of_the_work_is_one_of_the_caller() {
        let caught = std::panic::catch_unwind(|| {
            let mut left = LARGE;
            let read = |block: &mut [u8]| {
                let read = block.len().min(left);
                left -= read;
                io::Result::Ok(read)
            };
            let mut done = 0;
            let work = |block: &mut [u8]| {
                done += block.len();
                assert!(done < LARGE / 2, "enough");
                Ok(())
            };
            let _ = each_block(read, work);
        });
        assert!(caught.is_err());
    }
}
