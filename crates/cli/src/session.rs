//! A protocol as a command works with it: its texts, compiled with the parameters that the user set.

use menard_lang::Program;
use menard_lang::diagnostic::Diagnostics;
use menard_lang::ir::{Name, Param};
use menard_lang::plan::Plan;
use menard_lang::source::Source;
use menard_lang::{plan, properties};
use menard_value::Value;

use crate::arguments::Which;
use crate::failure::{Failure, Result};
use crate::folder::Folder;
use crate::text::{did_you_mean, read};

/// A value of `--set`.
type Setting = (Name, Value);

/// A protocol, compiled.
pub struct Session {
    /// Its texts.
    pub folder: Folder,
    /// The program.
    pub program: Program,
    /// What is odd about it, but no error.
    pub warnings: Diagnostics,
    /// Its properties, as a program that observes.
    pub observer: Option<Program>,
    settings: Vec<Setting>,
}

impl Session {
    /// Finds a protocol and compiles it and its properties. Settings that the protocol does not know are for its plans.
    pub fn open(which: &Which) -> Result<Session> {
        let folder = Folder::open(&which.protocol)?;
        let settings = parse_settings(&which.set)?;
        let plain = menard_lang::compile(&folder.program, &[])?;
        let compiled = menard_lang::compile(&folder.program, &known(&settings, &plain.program.params))?;
        let observer =
            folder.properties.as_ref().map(|source| properties::compile(source, &compiled.program)).transpose()?;
        Ok(Session { folder, program: compiled.program, warnings: compiled.warnings, observer, settings })
    }

    /// The plan of this name, or in this file.
    pub fn plan(&self, name: &str) -> Result<Plan> {
        let source = match name.ends_with(".plan") {
            true => read(name.as_ref())?,
            false => self.plan_by_name(name)?,
        };
        self.parse_plan(&source)
    }

    /// All plans that stand beside the protocol.
    pub fn plans(&self) -> Result<Vec<Plan>> {
        let plans = self.folder.plans.iter().map(|source| self.parse_plan(source)).collect::<Result<Vec<_>>>()?;
        Ok(plans.into_iter().filter(|plan| plan.protocol == self.program.name).collect())
    }

    /// The plans of these names or in these files; all that stand beside the protocol if none is named.
    pub fn plans_or_all(&self, named: &[String]) -> Result<Vec<Plan>> {
        match named {
            [] => self.plans(),
            named => named.iter().map(|plan| self.plan(plan)).collect(),
        }
    }

    /// Complains if a setting is for no parameter of the protocol and of these plans.
    pub fn all_settings_are_used(&self, plans: &[Plan]) -> Result<()> {
        let params = || self.program.params.iter().chain(plans.iter().flat_map(|plan| &plan.params));
        let Some((name, _)) = self.settings.iter().find(|(name, _)| params().all(|param| param.name != *name)) else {
            return Ok(());
        };
        let names: Vec<&str> = params().map(|param| param.name.as_str()).collect();
        let near = did_you_mean(name, names.iter().copied()).map(|near| format!("did you mean `{near}`? "));
        let all =
            if names.is_empty() { "there are none".to_owned() } else { format!("known are {}", names.join(", ")) };
        Err(Failure::environment(format!("there is no parameter `{name}`"), near.unwrap_or_default() + &all))
    }

    fn plan_by_name(&self, name: &str) -> Result<Source> {
        let named = |source: &&Source| stem(&source.name) == name;
        if let Some(source) = self.folder.plans.iter().find(named) {
            return Ok(source.clone());
        }
        let names: Vec<&str> = self.folder.plans.iter().map(|source| stem(&source.name)).collect();
        let near = did_you_mean(name, names.iter().copied()).map(|near| format!("did you mean `{near}`? "));
        let all = match names.is_empty() {
            true => "name a file that ends in .plan".to_owned(),
            false => format!("known are {}; or name a file that ends in .plan", names.join(", ")),
        };
        let message = format!("the protocol {} has no plan `{name}`", self.program.name);
        Err(Failure::environment(message, near.unwrap_or_default() + &all))
    }

    fn parse_plan(&self, source: &Source) -> Result<Plan> {
        let plain = plan::parse(source, &[])?;
        Ok(plan::parse(source, &known(&self.settings, &plain.params))?)
    }
}

/// The settings that are for these parameters.
fn known(settings: &[Setting], params: &[Param]) -> Vec<Setting> {
    let is_known = |setting: &&Setting| params.iter().any(|param| param.name == setting.0);
    settings.iter().filter(is_known).cloned().collect()
}

/// The file's name without folder and extension.
fn stem(path: &str) -> &str {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

fn parse_settings(settings: &[String]) -> Result<Vec<Setting>> {
    let mut parsed: Vec<Setting> = Vec::new();
    for setting in settings {
        let (name, value) = parse_setting(setting)?;
        if parsed.iter().any(|(known, _)| *known == name) {
            return Err(Failure::environment(format!("`{name}` is set twice"), "leave one value"));
        }
        parsed.push((name, value));
    }
    Ok(parsed)
}

fn parse_setting(setting: &str) -> Result<Setting> {
    menard_lang::parse_override(setting).map_err(|errors| {
        let reason = errors.iter().next().map_or(String::new(), |error| format!(": {}", error.message));
        let help = "write --set NAME=VALUE, for instance --set participants=5";
        Failure::environment(format!("`{setting}` sets no parameter{reason}"), help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_has_neither_folder_nor_extension() {
        assert_eq!(stem("<library>/voting/scalable.plan"), "scalable");
        assert_eq!(stem("scalable"), "scalable");
    }
}
