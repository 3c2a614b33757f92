//! Subscriptions to changes of the topology.

use std::sync::mpsc::{RecvError, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use crossbeam::channel::{self, Receiver};

use crate::event::TopologyEvent;

/// The receiving end of a channel of [`TopologyEvent`]s, which [`Coordinator::subscribe`](crate::Coordinator::subscribe) returns.
///
/// Events arrive in order. Events that were sent before the coordinator was closed can still be received. After them, every call returns
/// that the channel is disconnected. Clones share one channel: each event goes to one of them. Dropping the last clone ends the
/// subscription.
///
/// ```
/// use std::sync::mpsc::TryRecvError;
/// use tickring::{Coordinator, ShardId};
///
/// let coordinator = Coordinator::new(3)?;
/// let events = coordinator.subscribe(16);
/// coordinator.deregister_shard(ShardId::new(1))?;
/// coordinator.set_weight(ShardId::new(0), 2)?;
/// coordinator.close();
/// assert_eq!(events.len(), 2);
/// let epochs: Vec<_> = events.iter().map(|event| event.epoch.get()).collect();
/// assert_eq!(epochs, [1, 2]);
/// assert_eq!(events.try_recv(), Err(TryRecvError::Disconnected));
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Subscription(Receiver<TopologyEvent>);

impl Subscription {
    pub(crate) const fn new(receiver: Receiver<TopologyEvent>) -> Self {
        Self(receiver)
    }

    /// Returns the next event, without blocking. See the example of [`Subscription`].
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if there is no event now, or [`TryRecvError::Disconnected`] if there will never be another one.
    pub fn try_recv(&self) -> Result<TopologyEvent, TryRecvError> {
        self.0.try_recv().map_err(|error| match error {
            channel::TryRecvError::Empty => TryRecvError::Empty,
            channel::TryRecvError::Disconnected => TryRecvError::Disconnected,
        })
    }

    /// Returns the next event. Blocks until there is one, or until the coordinator is closed. See the example of
    /// [`recv_timeout`](Self::recv_timeout).
    ///
    /// # Errors
    /// [`RecvError`] if there will never be another event.
    pub fn recv(&self) -> Result<TopologyEvent, RecvError> {
        self.0.recv().map_err(|_| RecvError)
    }

    /// Returns the next event. Blocks for at most this long.
    ///
    /// ```
    /// use std::sync::mpsc::RecvTimeoutError;
    /// use std::time::Duration;
    /// use tickring::{Coordinator, ShardId};
    ///
    /// let coordinator = Coordinator::new(3)?;
    /// let events = coordinator.subscribe(16);
    /// let none = events.recv_timeout(Duration::ZERO);
    /// assert_eq!(none, Err(RecvTimeoutError::Timeout));
    /// coordinator.deregister_shard(ShardId::new(1))?;
    /// assert!(events.recv_timeout(Duration::from_secs(60)).is_ok());
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`] if no event arrives in that time, or [`RecvTimeoutError::Disconnected`] if there will never be another
    /// one.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<TopologyEvent, RecvTimeoutError> {
        self.0.recv_timeout(timeout).map_err(|error| match error {
            channel::RecvTimeoutError::Timeout => RecvTimeoutError::Timeout,
            channel::RecvTimeoutError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    /// Returns an iterator over the events that are waiting now. Never blocks.
    pub fn try_iter(&self) -> impl Iterator<Item = TopologyEvent> + '_ {
        self.0.try_iter()
    }

    /// Returns an iterator over all events. Blocks for each, and ends when the coordinator is closed.
    pub fn iter(&self) -> impl Iterator<Item = TopologyEvent> + '_ {
        self.0.iter()
    }

    /// Returns the number of waiting events.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether no event is waiting.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> Option<usize> {
        self.0.capacity()
    }
}
