//! Cancellation of running work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::BackendError;

/// A token that ends runs early, from another thread or a signal handler. Clones are the same token; two are equal if they
/// are the same. A token that was canceled stays so.
///
/// # Example
/// ```
/// use axonml_autodiff::engine::CancelToken;
///
/// let token = CancelToken::default();
/// let handle = token.clone();
/// std::thread::spawn(move || handle.cancel()).join().expect("the thread ends");
/// assert!(token.is_canceled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Cancels everything that has this token; running steps are completed, their results discarded.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was canceled.
    pub fn is_canceled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Ends work that was canceled.
    ///
    /// # Errors
    /// [`BackendError::Canceled`].
    pub fn check(&self) -> Result<(), BackendError> {
        match self.is_canceled() {
            true => Err(BackendError::Canceled),
            false => Ok(()),
        }
    }
}

impl PartialEq for CancelToken {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
