//! Processes of `menard node`, which are killed.

use std::process::{Child, Stdio};

use super::Desk;

/// A running process of a logical node, which does not outlive the test.
pub struct NodeProcess(Child);

impl NodeProcess {
    /// Starts one of the deployment in `deploy.toml`; `words` say which.
    pub fn start(desk: &Desk, words: &[&str]) -> NodeProcess {
        let words = [&["node"], words, &["--deploy", "deploy.toml", "--data", "data"]].concat();
        NodeProcess(desk.command(&words).stdout(Stdio::null()).spawn().expect("the binary was built"))
    }

    /// Kills it (`SIGKILL`), if it was not killed before.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
