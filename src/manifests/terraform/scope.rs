//! One module as it is called: its variables, locals, resources and the modules below it, evaluated when asked for.

use super::super::infra::value::{self, Attributes, Val};
use super::evaluate::{At, Env, entries};
use super::parse::{Block, Body};
use super::project::{Module, Placed, Project, join, local_source};
use super::{computed, types};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// Deepest nesting of modules.
const MAX_MODULES: usize = 12;
/// Most instances of one block.
const MAX_INSTANCES: usize = 1_000;
/// Evaluation steps of one root module.
pub(super) const BUDGET: u32 = 2_000_000;

/// What `each` and `count` are in one instance of a block.
#[derive(Clone, Default)]
pub(super) struct Binding {
    /// `[0]`, `["a"]`; empty for a block of one instance.
    pub(super) suffix: String,
    each: Option<(Val, Val)>,
    index: Option<f64>,
    /// How many instances there are hangs on this.
    pub(super) open: Option<String>,
}

impl Binding {
    /// Evaluates with the names of this instance bound.
    pub(super) fn with<T>(
        &self,
        scope: &Rc<Scope>,
        depth: usize,
        run: impl FnOnce(At<'_>) -> T,
    ) -> T {
        let bare = At {
            scope,
            env: None,
            depth,
        };
        if let Some((key, value)) = &self.each {
            let each = Val::map(
                [("key", key), ("value", value)]
                    .map(|(name, value)| (name.to_owned(), value.clone()))
                    .into(),
            );
            let env = Env {
                name: "each",
                value: &each,
                outer: None,
            };
            return run(At {
                env: Some(&env),
                ..bare
            });
        }
        if let Some(index) = self.index {
            let count = Val::map([("index".to_owned(), Val::Number(index))].into());
            let env = Env {
                name: "count",
                value: &count,
                outer: None,
            };
            return run(At {
                env: Some(&env),
                ..bare
            });
        }
        run(bare)
    }
}

/// How the instances of a block are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    List,
    Map,
}

/// Instances of a block.
pub(super) struct Instances {
    shape: Shape,
    pub(super) list: Vec<Binding>,
}

impl Instances {
    fn value(&self, mut make: impl FnMut(&Binding) -> Val) -> Val {
        match self.shape {
            Shape::One => self.list.first().map_or(Val::Null, make),
            Shape::List => Val::list(self.list.iter().map(make).collect()),
            Shape::Map => Val::map(
                self.list
                    .iter()
                    .filter_map(|binding| {
                        let (key, _) = binding.each.as_ref()?;
                        Some((key.as_text()?, make(binding)))
                    })
                    .collect(),
            ),
        }
    }
}

/// Instances of one module call.
type Children = Vec<(Binding, Rc<Scope>)>;

/// One module as it is called.
pub(super) struct Scope {
    pub(super) project: Arc<Project>,
    /// Folder of the module.
    pub(super) folder: String,
    /// Folder the code is run in.
    pub(super) root: String,
    /// `module.ci.`; empty at the root.
    pub(super) path: String,
    /// Account its provider works in, `000000000000` where code does not tell.
    pub(super) account: String,
    caller: Option<(Weak<Scope>, String, Binding)>,
    memo: RefCell<BTreeMap<String, Option<Val>>>,
    instances: RefCell<BTreeMap<String, Rc<Instances>>>,
    children: RefCell<BTreeMap<String, Children>>,
    budget: Rc<Cell<u32>>,
    level: usize,
}

impl Scope {
    /// The root module in a folder.
    pub(super) fn root(project: &Arc<Project>, folder: &str) -> Rc<Self> {
        let mut scope = Self {
            project: Arc::clone(project),
            folder: folder.to_owned(),
            root: folder.to_owned(),
            path: String::new(),
            account: String::new(),
            caller: None,
            memo: RefCell::default(),
            instances: RefCell::default(),
            children: RefCell::default(),
            budget: Rc::new(Cell::new(BUDGET)),
            level: 0,
        };
        crate::model::UNKNOWN_ACCOUNT.clone_into(&mut scope.account);
        let probe = Rc::new(scope);
        let Some(account) = computed::account_of_provider(&probe) else {
            return probe;
        };
        probe.forget();
        Rc::new(Self {
            project: Arc::clone(project),
            folder: folder.to_owned(),
            root: folder.to_owned(),
            path: String::new(),
            account,
            caller: None,
            memo: RefCell::default(),
            instances: RefCell::default(),
            children: RefCell::default(),
            budget: Rc::new(Cell::new(BUDGET)),
            level: 0,
        })
    }

    /// Takes one step of what may be spent; false when nothing is left.
    pub(super) fn spend(&self) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        left > 0
    }

    /// Whether evaluation came to its limit.
    pub(super) fn spent(&self) -> bool {
        self.budget.get() == 0
    }

    /// The module's code.
    pub(super) fn module_code(&self) -> Option<&Module> {
        self.project.modules.get(&self.folder)
    }

    /// Forgets every value: values hold on to scopes and scopes to values.
    pub(super) fn forget(&self) {
        self.memo.take();
        for (_, child) in self.children.take().into_values().flatten() {
            child.forget();
        }
    }

    fn remembered(&self, key: String, make: impl FnOnce() -> Val) -> Val {
        if let Some(known) = self.memo.borrow().get(&key) {
            return known.clone().unwrap_or_else(|| Val::open(key.clone()));
        }
        self.memo.borrow_mut().insert(key.clone(), None);
        let value = make();
        self.memo.borrow_mut().insert(key, Some(value.clone()));
        value
    }

    /// `var.name`.
    pub(super) fn variable(self: &Rc<Self>, name: &str, depth: usize) -> Val {
        self.remembered(format!("var.{name}"), || {
            let declared = self
                .module_code()
                .and_then(|module| module.variables.get(name));
            let given = self.given(name, depth);
            let at = At {
                scope: self,
                env: None,
                depth,
            };
            let default = || {
                let default = declared?.what.body.attribute("default")?;
                Some(at.eval(&default.expr))
            };
            let value = given
                .or_else(default)
                .unwrap_or_else(|| Val::open(format!("var.{name}")));
            match declared.and_then(|block| block.what.body.attribute("type")) {
                Some(kind) => types::complete(at, value, &kind.expr),
                None => value,
            }
        })
    }

    /// What a variable is set to from outside.
    fn given(self: &Rc<Self>, name: &str, depth: usize) -> Option<Val> {
        let Some((caller, call, binding)) = &self.caller else {
            let value = self.module_code()?.values.get(name)?;
            return Some(
                At {
                    scope: self,
                    env: None,
                    depth,
                }
                .eval(value),
            );
        };
        let caller = caller.upgrade()?;
        let call = caller.module_code()?.modules.get(call)?;
        let attribute = call.what.body.attribute(name)?;
        Some(binding.with(&caller, depth + 1, |at| at.eval(&attribute.expr)))
    }

    /// `local.name`.
    pub(super) fn local(self: &Rc<Self>, name: &str, depth: usize) -> Val {
        self.remembered(format!("local.{name}"), || {
            match self
                .module_code()
                .and_then(|module| module.locals.get(name))
            {
                Some(local) => At {
                    scope: self,
                    env: None,
                    depth,
                }
                .eval(&local.what.expr),
                None => Val::open(format!("local.{name}")),
            }
        })
    }

    /// `path.name`.
    pub(super) fn path(&self, name: &str) -> Val {
        match name {
            "module" => Val::text(self.folder.clone()),
            _ => Val::text(self.root.clone()),
        }
    }

    /// `module.name`.
    pub(super) fn module(self: &Rc<Self>, name: &str, depth: usize) -> Val {
        let children = self.children_of(name, depth);
        let shape = self
            .instances
            .borrow()
            .get(&format!("module.{name}"))
            .map(Rc::clone);
        let Some(instances) = shape.filter(|_| !children.is_empty()) else {
            let exists = self
                .module_code()
                .and_then(|module| module.modules.get(name))
                .is_some_and(|call| local_source(&call.what).is_some());
            // None at all, or one from elsewhere.
            return if exists {
                Val::list(Vec::new())
            } else {
                Val::open(format!("module.{name}"))
            };
        };
        let mut scopes = children.iter();
        instances.value(|_| match scopes.next() {
            Some((_, child)) => Val::Object(Rc::new(Outputs {
                scope: Rc::clone(child),
            })),
            None => Val::Null,
        })
    }

    /// The modules a call makes.
    pub(super) fn children_of(self: &Rc<Self>, name: &str, depth: usize) -> Children {
        if let Some(known) = self.children.borrow().get(name) {
            return known.clone();
        }
        let made = self.make_children(name, depth).unwrap_or_default();
        self.children
            .borrow_mut()
            .insert(name.to_owned(), made.clone());
        made
    }

    fn make_children(self: &Rc<Self>, name: &str, depth: usize) -> Option<Children> {
        let call = self.module_code()?.modules.get(name)?;
        let folder = join(&self.folder, &local_source(&call.what)?)?;
        if self.level >= MAX_MODULES || !self.project.modules.contains_key(&folder) {
            return None;
        }
        let instances = self.instances_of(&format!("module.{name}"), &call.what.body, depth);
        Some(
            instances
                .list
                .iter()
                .map(|binding| {
                    let child = Self {
                        project: Arc::clone(&self.project),
                        folder: folder.clone(),
                        root: self.root.clone(),
                        path: format!("{}module.{name}{}.", self.path, binding.suffix),
                        account: computed::account_of_call(self, &call.what)
                            .unwrap_or_else(|| self.account.clone()),
                        caller: Some((Rc::downgrade(self), name.to_owned(), binding.clone())),
                        memo: RefCell::default(),
                        instances: RefCell::default(),
                        children: RefCell::default(),
                        budget: Rc::clone(&self.budget),
                        level: self.level + 1,
                    };
                    (binding.clone(), Rc::new(child))
                })
                .collect(),
        )
    }

    /// Instances of a block by its `count` or `for_each`.
    pub(super) fn instances_of(
        self: &Rc<Self>,
        key: &str,
        body: &Body,
        depth: usize,
    ) -> Rc<Instances> {
        if let Some(known) = self.instances.borrow().get(key) {
            return Rc::clone(known);
        }
        // While it is being evaluated, there is one.
        let one = Rc::new(Instances {
            shape: Shape::One,
            list: vec![Binding::default()],
        });
        self.instances
            .borrow_mut()
            .insert(key.to_owned(), Rc::clone(&one));
        let at = At {
            scope: self,
            env: None,
            depth,
        };
        let made = if let Some(count) = body.attribute("count") {
            Rc::new(counted(&at.eval(&count.expr)))
        } else if let Some(each) = body.attribute("for_each") {
            Rc::new(keyed(&at.eval(&each.expr)))
        } else {
            one
        };
        self.instances
            .borrow_mut()
            .insert(key.to_owned(), Rc::clone(&made));
        made
    }

    /// `type.name` or `data.type.name`.
    pub(super) fn resource(
        self: &Rc<Self>,
        data: bool,
        kind: &str,
        name: &str,
        depth: usize,
    ) -> Val {
        let Some(block) = self.block(data, kind, name) else {
            return Val::open(format!("{}{kind}.{name}", if data { "data." } else { "" }));
        };
        let key = address(data, kind, name);
        let instances = self.instances_of(&key, &block.what.body, depth);
        instances.value(|binding| {
            Val::Object(Rc::new(Resource {
                scope: Rc::clone(self),
                data,
                kind: kind.to_owned(),
                name: name.to_owned(),
                binding: binding.clone(),
            }))
        })
    }

    fn block(&self, data: bool, kind: &str, name: &str) -> Option<&Placed<Block>> {
        let module = self.module_code()?;
        let all = if data {
            &module.data
        } else {
            &module.resources
        };
        all.get(&(kind.to_owned(), name.to_owned()))
    }

    /// One output.
    fn output(self: &Rc<Self>, name: &str, depth: usize) -> Val {
        self.remembered(format!("output.{name}"), || {
            let output = self
                .module_code()
                .and_then(|module| module.outputs.get(name))
                .and_then(|output| output.what.body.attribute("value"));
            match output {
                Some(value) => At {
                    scope: self,
                    env: None,
                    depth,
                }
                .eval(&value.expr),
                None => Val::open(format!("{}{name}", self.path)),
            }
        })
    }
}

/// `type.name` as written in the code.
pub(super) fn address(data: bool, kind: &str, name: &str) -> String {
    if data {
        format!("data.{kind}.{name}")
    } else {
        format!("{kind}.{name}")
    }
}

fn counted(count: &Val) -> Instances {
    let list = match count.as_number() {
        Some(number) => (0..number.max(0.0) as usize)
            .take(MAX_INSTANCES)
            .map(|at| Binding {
                suffix: format!("[{at}]"),
                index: Some(at as f64),
                ..Binding::default()
            })
            .collect(),
        None => vec![Binding {
            suffix: "[0]".to_owned(),
            index: Some(0.0),
            open: Some(label(count)),
            ..Binding::default()
        }],
    };
    Instances {
        shape: Shape::List,
        list,
    }
}

fn keyed(each: &Val) -> Instances {
    let list = match entries(each) {
        Some(entries) => {
            let set = matches!(each, Val::List(_));
            let each = entries.into_iter().take(MAX_INSTANCES).map(|(key, value)| {
                let key = if set { value.clone() } else { key };
                let shown = value::shown(&key.as_text().unwrap_or_default());
                Binding {
                    suffix: format!("[\"{shown}\"]"),
                    each: Some((key, value)),
                    ..Binding::default()
                }
            });
            each.collect()
        }
        None => vec![Binding {
            suffix: "[\"*\"]".to_owned(),
            each: Some((Val::open("each.key"), Val::open("each.value"))),
            open: Some(label(each)),
            ..Binding::default()
        }],
    };
    Instances {
        shape: Shape::Map,
        list,
    }
}

fn label(value: &Val) -> String {
    match super::evaluate::unknown_of(&[value]) {
        Val::Unknown(label) => label,
        _ => "an expression".to_owned(),
    }
}

/// A resource or data source as a value.
pub(super) struct Resource {
    pub(super) scope: Rc<Scope>,
    pub(super) data: bool,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) binding: Binding,
}

impl Resource {
    /// Where it is in the code: `module.a.aws_iam_role.b[0]`.
    pub(super) fn address(&self) -> String {
        let address = address(self.data, &self.kind, &self.name);
        format!("{}{address}{}", self.scope.path, self.binding.suffix)
    }

    /// Its block.
    pub(super) fn block(&self) -> Option<&Placed<Block>> {
        self.scope.block(self.data, &self.kind, &self.name)
    }

    /// An attribute as the code sets it; null where it does not.
    pub(super) fn set(&self, name: &str) -> Val {
        let Some(block) = self.block() else {
            return Val::Null;
        };
        let key = format!(
            "{}{}.{name}",
            address(self.data, &self.kind, &self.name),
            self.binding.suffix
        );
        self.scope.remembered(key, || {
            self.binding.with(&self.scope, 0, |at| {
                if let Some(attribute) = block.what.body.attribute(name) {
                    return at.eval(&attribute.expr);
                }
                let blocks = at.blocks(&block.what.body, name);
                if blocks.is_empty() {
                    Val::Null
                } else {
                    Val::list(blocks)
                }
            })
        })
    }
}

impl Attributes for Resource {
    fn attribute(&self, name: &str) -> Val {
        match self.set(name) {
            Val::Null => computed::attribute(self, name),
            value => value,
        }
    }

    fn label(&self) -> String {
        self.address()
    }
}

/// The outputs of a module as a value.
struct Outputs {
    scope: Rc<Scope>,
}

impl Attributes for Outputs {
    fn attribute(&self, name: &str) -> Val {
        self.scope.output(name, 0)
    }

    fn label(&self) -> String {
        self.scope.path.trim_end_matches('.').to_owned()
    }
}

impl At<'_> {
    /// Blocks of one kind as mappings, `dynamic` ones unrolled.
    pub(super) fn blocks(self, body: &Body, kind: &str) -> Vec<Val> {
        let mut out = Vec::new();
        for block in &body.blocks {
            if block.kind == kind {
                out.push(self.body(&block.body));
            } else if block.kind == "dynamic" && block.labels.first().is_some_and(|l| l == kind) {
                self.dynamic(block, kind, &mut out);
            }
        }
        out
    }

    fn dynamic(self, block: &Block, kind: &str, out: &mut Vec<Val>) {
        let Some(content) = block.body.blocks("content").next() else {
            return;
        };
        let collection = block
            .body
            .attribute("for_each")
            .map_or(Val::Null, |each| self.eval(&each.expr));
        let name = block
            .body
            .attribute("iterator")
            .map(|iterator| iterator.expr.to_string().trim().to_owned());
        let name = name.as_deref().unwrap_or(kind);
        let unknown = Val::open(label(&collection));
        let each = entries(&collection).unwrap_or_else(|| vec![(unknown.clone(), unknown)]);
        for (key, value) in each.into_iter().take(MAX_INSTANCES) {
            let bound = Val::map([("key".to_owned(), key), ("value".to_owned(), value)].into());
            let env = Env {
                name,
                value: &bound,
                outer: self.env,
            };
            out.push(
                At {
                    env: Some(&env),
                    ..self
                }
                .body(&content.body),
            );
        }
    }

    /// A whole body as a mapping: attributes as they are, blocks as lists of mappings.
    pub(super) fn body(self, body: &Body) -> Val {
        let mut map: BTreeMap<String, Val> = BTreeMap::new();
        for attribute in &body.attributes {
            map.insert(attribute.name.clone(), self.eval(&attribute.expr));
        }
        for block in &body.blocks {
            let kind = match block.kind.as_str() {
                "dynamic" => block.labels.first().map_or("", String::as_str),
                kind => kind,
            };
            if !kind.is_empty() && !map.contains_key(kind) {
                map.insert(kind.to_owned(), Val::list(self.blocks(body, kind)));
            }
        }
        Val::map(map)
    }
}
