//! The program's other commands, run to their end.

use super::wait_until;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a command left behind.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub out: String,
    /// What it wrote to stderr.
    pub err: String,
}

impl Ended {
    /// Expects the code, and pieces of text on stderr.
    pub fn refuses(&self, code: i32, pieces: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.holds(&self.err, pieces);
    }

    /// Expects pieces of text on stdout.
    pub fn says(&self, pieces: &[&str]) {
        self.holds(&self.out, pieces);
    }

    fn holds(&self, text: &str, pieces: &[&str]) {
        for piece in pieces {
            assert!(text.contains(piece), "{piece:?} is not in {self:?}");
        }
    }

    /// Expects success.
    pub fn succeeds(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
    }
}

/// A command under way; killed when dropped.
pub struct Program(Option<Child>);

impl Program {
    /// Starts the program; what it prints must fit into a pipe.
    pub fn start<S: AsRef<OsStr>>(args: &[S]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_wirecross"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self(Some(child))
    }

    /// Number of the process.
    pub fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// Whether it ended.
    pub fn is_ended(&mut self) -> bool {
        let child = self.0.as_mut().unwrap();
        child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        wait_until("the command's end", || self.is_ended());
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A program beside the one under test, which the workspace's tests build, too.
pub fn program_beside(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_wirecross")).with_file_name(name);
    let hint = "build it first: cargo build -p store -p api --bins";
    assert!(program.is_file(), "{}: {hint}", program.display());
    program
}

/// Runs the program to its end.
pub fn program<S: AsRef<OsStr>>(args: &[S]) -> Ended {
    Program::start(args).wait()
}
