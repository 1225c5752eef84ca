//! What is in use now and is replaced whole while a server runs: a key with its certificates, and what is made of them.

use std::sync::{Arc, PoisonError, RwLock};

/// Something in use. Whoever took it goes on with what it took: nothing turns in the middle of a request.
pub struct InUse<T: ?Sized>(RwLock<Arc<T>>);

impl<T: ?Sized> InUse<T> {
    /// In use from now on.
    #[must_use]
    pub const fn new(first: Arc<T>) -> Self {
        Self(RwLock::new(first))
    }

    /// What is in use now: taken once for each piece of work.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has `next` used by whoever takes it from now on.
    pub fn turn(&self, next: Arc<T>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

impl<T> From<T> for InUse<T> {
    fn from(first: T) -> Self {
        Self::new(Arc::new(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_took_it_goes_on_with_what_it_took() {
        let used = InUse::from(1);
        let taken = used.get();
        used.turn(Arc::new(2));
        assert_eq!((*taken, *used.get()), (1, 2));
    }
}
