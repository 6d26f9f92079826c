//! What went wrong and at which step.

use std::fmt;
use std::io;

/// A refused step on the way to a working port.
#[derive(Debug)]
pub struct Error {
    step: &'static str,
    source: io::Error,
    detail: String,
}

impl Error {
    /// The step failed with the system's last error.
    pub(crate) fn last(step: &'static str) -> Error {
        Error::new(step, io::Error::last_os_error())
    }

    pub(crate) fn new(step: &'static str, source: io::Error) -> Error {
        Error {
            step,
            source,
            detail: String::new(),
        }
    }

    pub(crate) fn with_detail(mut self, detail: String) -> Error {
        self.detail = detail;
        self
    }

    /// The system's error number, if it was the system that refused.
    pub fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }

    /// What to do about the error numbers that have a usual cause.
    fn advice(&self) -> &'static str {
        match self.errno() {
            Some(libc::EPERM | libc::EACCES) => {
                "; run as root or with CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF"
            }
            Some(libc::EBUSY) => "; another program or socket holds this interface or queue",
            Some(libc::EOPNOTSUPP) => "; the interface cannot do this mode",
            Some(libc::EAFNOSUPPORT) => "; the kernel was built without AF_XDP",
            Some(libc::ENODEV) => "; no such interface in this network namespace",
            Some(libc::ENOBUFS | libc::ENOMEM) => "; raise the locked memory limit (ulimit -l)",
            _ => "",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.step, self.source, self.advice())?;
        if !self.detail.is_empty() {
            let between = if self.detail.contains('\n') {
                '\n'
            } else {
                ' '
            };
            write!(f, ":{between}{}", self.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.source.kind(), error)
    }
}
