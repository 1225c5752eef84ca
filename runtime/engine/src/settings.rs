//! The engine's settings and their bounds.

use crate::batch::Header;
use crate::trail::OUTCOMES_LAG;
use std::time::Duration;
use yufu_log::MAX_PAYLOAD;

/// How the engine batches, queues and judges the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The most commands that one record carries, and so one submission. Default 8,192.
    pub max_batch_commands: u32,
    /// The most bytes of encoded commands that one record carries, and so one submission.
    /// Default 1 MiB.
    pub max_batch_bytes: u32,
    /// How much may be under way, waiting or being written, in bytes of encoded commands plus [`Settings::COMMAND_COST`] for
    /// each; beyond it submissions are refused as overload. Default 64 MiB.
    pub queue_bytes: u32,
    /// How far the clock may be off before stamping stops. Default 60 seconds.
    pub clock_bound: Duration,
    /// How many records may be durable and wait to be applied while the next is written; 0 hands each over
    /// as soon as the one before it is taken up. Default 4.
    pub ahead: u32,
    /// How long ago the log may last have been known to be this engine's for a read to be answered without
    /// asking the log. Zero asks at every read. Default 1 second.
    pub read_bound: Duration,
}

impl Settings {
    /// What a waiting command counts beyond its encoding, in bytes.
    pub const COMMAND_COST: u32 = 256;
    /// One record is being applied and one waits to be handed over beside those that wait.
    const MOST_AHEAD: u64 = OUTCOMES_LAG.saturating_sub(2);

    /// Checks that the settings can work together.
    ///
    /// # Errors
    /// [`SettingsError`], in the order of its variants.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.max_batch_commands == 0 || self.max_batch_bytes == 0 {
            return Err(SettingsError::EmptyBatch);
        }
        let most = MAX_PAYLOAD.saturating_sub(Header::MOST);
        if usize::try_from(self.max_batch_bytes).is_ok_and(|bytes| bytes > most) {
            return Err(SettingsError::LargeBatch { most });
        }
        if u64::from(self.ahead) > Self::MOST_AHEAD {
            return Err(SettingsError::FarAhead { most: Self::MOST_AHEAD });
        }
        let needed = self.cost(self.max_batch_commands, self.max_batch_bytes);
        if self.queue_bytes < needed {
            return Err(SettingsError::SmallQueue { needed });
        }
        Ok(())
    }

    /// What `commands` of `bytes` together count in the queue.
    pub(crate) const fn cost(&self, commands: u32, bytes: u32) -> u32 {
        commands.saturating_mul(Self::COMMAND_COST).saturating_add(bytes)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_batch_commands: 8192,
            max_batch_bytes: 1 << 20,
            queue_bytes: 64 << 20,
            clock_bound: Duration::from_secs(60),
            ahead: 4,
            read_bound: Duration::from_secs(1),
        }
    }
}

/// Why settings cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A batch could hold nothing.
    #[error("max_batch_commands and max_batch_bytes must be at least 1")]
    EmptyBatch,
    /// A batch could exceed what the log takes.
    #[error("max_batch_bytes must be at most {most}, what a record of the log can carry")]
    LargeBatch {
        /// The bound.
        most: usize,
    },
    /// More records could wait than a commitment to their outcomes may lag behind.
    #[error("ahead must be at most {most}")]
    FarAhead {
        /// The bound.
        most: u64,
    },
    /// A submission of the largest size would never find room.
    #[error("queue_bytes must be at least {needed}, what one full batch takes")]
    SmallQueue {
        /// The bound.
        needed: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let good = Settings::default();
        assert_eq!(good.check(), Ok(()));
        let no_commands = Settings { max_batch_commands: 0, ..good };
        assert_eq!(no_commands.check(), Err(SettingsError::EmptyBatch));
        let no_bytes = Settings { max_batch_bytes: 0, ..good };
        assert_eq!(no_bytes.check(), Err(SettingsError::EmptyBatch));
        let large = Settings { max_batch_bytes: 64 << 20, ..good };
        assert!(matches!(large.check(), Err(SettingsError::LargeBatch { .. })));
        let far = Settings { ahead: 15, ..good };
        assert_eq!(far.check(), Err(SettingsError::FarAhead { most: 14 }));
        let small = Settings { queue_bytes: 1 << 20, ..good };
        let needed = (1 << 20) + 8192 * 256;
        assert_eq!(small.check(), Err(SettingsError::SmallQueue { needed }));
        assert_eq!(Settings { queue_bytes: needed, ..good }.check(), Ok(()));
    }
}
