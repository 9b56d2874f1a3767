//! Work side by side, results in order.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// Does `work` on the items in parallel on rayon's threads, and passes the results to `take` in the items' order, on
/// the calling thread and concurrently with the work. At most `ahead` items (at least one) are begun and not yet taken.
///
/// # Errors
/// The first that `take` returns, after which no item is begun any more.
///
/// # Panics
/// Panics of `work` are passed on when its item's turn has come.
pub(super) fn in_order<I: Send, T: Send, E>(
    items: impl IntoIterator<Item = I>,
    ahead: usize,
    work: impl Fn(I) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let (done, finished) = channel();
    let work = &work;
    rayon::in_place_scope_fifo(|scope| {
        let mut items = items.into_iter();
        let mut begun = 0;
        let mut begin = || {
            let item = items.next()?;
            let (index, done) = (begun, done.clone());
            begun += 1;
            scope.spawn_fifo(move |_| {
                let result = catch_unwind(AssertUnwindSafe(|| work(item)));
                // The receiver is gone once `take` has failed.
                _ = done.send((index, result));
            });
            Some(())
        };
        // The results of items begun and not yet taken.
        let mut waiting: VecDeque<Option<std::thread::Result<T>>> = VecDeque::new();
        let mut taken = 0;
        loop {
            while waiting.len() < ahead.max(1) && begin().is_some() {
                waiting.push_back(None);
            }
            match waiting.front() {
                None => return Ok(()),
                Some(None) => {
                    let (index, result) = next(&finished);
                    waiting[index - taken] = Some(result);
                }
                Some(Some(_)) => {
                    taken += 1;
                    if let Some(result) = waiting.pop_front().flatten() {
                        take(result.unwrap_or_else(|panic| resume_unwind(panic)))?;
                    }
                }
            }
        }
    })
}

/// Waits for a message. A thread of the pool helps with the work meanwhile: it may be the only one there is.
fn next<T>(finished: &Receiver<T>) -> T {
    loop {
        match finished.try_recv() {
            Ok(message) => return message,
            Err(TryRecvError::Disconnected) => unreachable!("the caller holds a sender"),
            Err(TryRecvError::Empty) => match rayon::yield_now() {
                Some(rayon::Yield::Executed) => {}
                Some(rayon::Yield::Idle) => std::thread::yield_now(),
                None => return finished.recv().expect("the caller holds a sender"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    }

    /// Items whose work takes longer the earlier they come.
    fn slow_first(item: usize) -> usize {
        std::thread::sleep(std::time::Duration::from_millis(3 - item as u64 % 4));
        item * item
    }

    #[test]
    fn results_come_in_order_from_within_and_without_the_pool() {
        let run = || {
            let mut results = Vec::new();
            in_order(0..23, 5, slow_first, |result| {
                results.push(result);
                Ok::<(), ()>(())
            })
            .unwrap();
            results
        };
        let expected: Vec<usize> = (0..23).map(|item| item * item).collect();
        assert_eq!(run(), expected);
        for threads in [1, 3] {
            assert_eq!(pool(threads).install(run), expected, "{threads} threads");
        }
    }

    #[test]
    fn no_more_is_begun_than_may_wait() {
        let (begun, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut taken = 0;
        pool(3).install(|| {
            in_order(
                0..40,
                4,
                |item| {
                    begun.fetch_add(1, Ordering::SeqCst);
                    slow_first(item)
                },
                |_| {
                    taken += 1;
                    // This one was counted as taken just now.
                    let open = begun.load(Ordering::SeqCst) + 1 - taken;
                    most.fetch_max(open, Ordering::SeqCst);
                    Ok::<(), ()>(())
                },
            )
            .unwrap();
        });
        assert_eq!((begun.into_inner(), taken), (40, 40));
        assert!(most.into_inner() <= 4);
    }

    /// A thread that waits for a missing result does not hang either.
    #[test]
    fn a_panic_is_passed_on() {
        let run = || {
            let mut taken = Vec::new();
            let work = |item: usize| match item {
                4 => panic!("item four"),
                item => item,
            };
            let take = |item| {
                taken.push(item);
                Ok::<(), ()>(())
            };
            let panic = catch_unwind(AssertUnwindSafe(|| in_order(0..9, 3, work, take)));
            (
                panic.unwrap_err().downcast_ref() == Some(&"item four"),
                taken,
            )
        };
        let expected = (true, vec![0, 1, 2, 3]);
        assert_eq!(run(), expected);
        for threads in [1, 3] {
            assert_eq!(pool(threads).install(run), expected, "{threads} threads");
        }
    }

    #[test]
    fn an_error_ends_the_work() {
        let begun = AtomicUsize::new(0);
        let mut taken = Vec::new();
        let result = in_order(
            0..1000,
            3,
            |item| {
                begun.fetch_add(1, Ordering::SeqCst);
                item
            },
            |item| {
                taken.push(item);
                match item {
                    5 => Err("five"),
                    _ => Ok(()),
                }
            },
        );
        assert_eq!(result, Err("five"));
        assert_eq!(taken, [0, 1, 2, 3, 4, 5]);
        assert!(begun.into_inner() <= 9);
    }
}
