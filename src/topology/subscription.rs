//! The receiving end of a subscription to changes of the topology.

use std::sync::mpsc::{RecvError, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use crossbeam::channel::{self, Receiver};

use crate::event::TopologyEvent;

/// The events that [`Coordinator::subscribe`](crate::Coordinator::subscribe) subscribed to, in their order.
///
/// When the coordinator is closed, what is still waiting is received; after that every call says that the channel is disconnected. Clones
/// share one channel: each event goes to one of them. Dropping the last one ends the subscription.
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

    /// The next event, without blocking.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if there is none now, [`TryRecvError::Disconnected`] if there will be none any more.
    pub fn try_recv(&self) -> Result<TopologyEvent, TryRecvError> {
        self.0.try_recv().map_err(|error| match error {
            channel::TryRecvError::Empty => TryRecvError::Empty,
            channel::TryRecvError::Disconnected => TryRecvError::Disconnected,
        })
    }

    /// The next event. Blocks until there is one, or the coordinator is closed.
    ///
    /// # Errors
    /// [`RecvError`] if there will be none any more.
    pub fn recv(&self) -> Result<TopologyEvent, RecvError> {
        self.0.recv().map_err(|_| RecvError)
    }

    /// The next event. Blocks for this long at most.
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`] if none came in that time, [`RecvTimeoutError::Disconnected`] if there will be none any more.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<TopologyEvent, RecvTimeoutError> {
        self.0.recv_timeout(timeout).map_err(|error| match error {
            channel::RecvTimeoutError::Timeout => RecvTimeoutError::Timeout,
            channel::RecvTimeoutError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    /// The events that are there now.
    pub fn try_iter(&self) -> impl Iterator<Item = TopologyEvent> + '_ {
        self.0.try_iter()
    }

    /// All events. Blocks for each, and ends when the coordinator is closed.
    pub fn iter(&self) -> impl Iterator<Item = TopologyEvent> + '_ {
        self.0.iter()
    }

    /// How many events wait to be received.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no event waits to be received.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> Option<usize> {
        self.0.capacity()
    }
}
