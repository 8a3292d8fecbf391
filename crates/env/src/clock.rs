//! `Clock`: wall time, monotonic time and timers.

use std::future::Future;
use std::time::Duration;

pub use tokio::time::Instant;
pub use tokio::time::error::Elapsed;

/// The time of one node. Cheap to clone.
///
/// Timers have a resolution of one millisecond and need the runtime that the environment belongs to.
#[derive(Clone, Debug)]
pub struct Clock {
    wall: Wall,
}

#[derive(Clone, Debug)]
enum Wall {
    Real,
    #[cfg(feature = "sim")]
    Virtual(crate::sim::VirtualTime),
}

impl Clock {
    pub(crate) fn real() -> Clock {
        Clock { wall: Wall::Real }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn simulated(time: crate::sim::VirtualTime) -> Clock {
        Clock { wall: Wall::Virtual(time) }
    }

    /// Wall time in milliseconds since the Unix epoch; may jump in either direction.
    pub fn now_ms(&self) -> i64 {
        match &self.wall {
            Wall::Real => crate::real::wall_ms(),
            #[cfg(feature = "sim")]
            Wall::Virtual(time) => time.now_ms(),
        }
    }

    /// Monotonic time, for deadlines and durations. Under simulation it is virtual.
    pub fn now(&self) -> Instant {
        match &self.wall {
            Wall::Real => Instant::now(),
            #[cfg(feature = "sim")]
            Wall::Virtual(time) => time.now(),
        }
    }

    /// Completes once `duration` has passed. Cancel safe.
    pub fn sleep(&self, duration: Duration) -> tokio::time::Sleep {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that the ban points to")]
        tokio::time::sleep(duration)
    }

    /// Completes at `deadline`, at once if it has passed. Cancel safe.
    pub fn sleep_until(&self, deadline: Instant) -> tokio::time::Sleep {
        tokio::time::sleep_until(deadline)
    }

    /// Runs `future` for at most `duration`.
    ///
    /// # Errors
    /// [`Elapsed`] when the time is over; the future is then dropped.
    pub fn timeout<F: Future>(
        &self,
        duration: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> {
        tokio::time::timeout(duration, future)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_wall_time_is_after_2025() {
        assert!(Clock::real().now_ms() > 1_735_689_600_000);
    }
}
