//! Pickles of state dicts, read as data.
//!
//! A pickle is a program for a stack machine that may call any function. This machine knows the instructions that
//! `torch.save` writes (protocol 2) and, of functions, those that make dictionaries and tensors, which it does not call
//! but understands.
//!
//! Containers are stored aside and named by index: dictionaries are filled after they are remembered, and a file
//! may nest tuples as deep, or repeat them as often, as it likes without taking more room than it has itself.

use std::collections::HashMap;
use std::rc::Rc;

use super::CheckpointError;

/// A value of a pickle; cheap to copy, whatever it is.
#[derive(Clone, Debug)]
pub(super) enum Object {
    None,
    Bool,
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    Tuple(usize),
    List,
    Dict(usize),
    Global(Global),
    Storage(Storage),
    Tensor(Rc<TensorRecord>),
}

impl Object {
    /// As a number, if it is one.
    pub(super) fn number(&self) -> Option<f64> {
        match *self {
            Object::Int(x) => Some(x as f64),
            Object::Float(x) => Some(x),
            _ => None,
        }
    }

    fn index(&self) -> Option<usize> {
        match *self {
            Object::Int(x) => usize::try_from(x).ok(),
            _ => None,
        }
    }
}

/// The globals that a pickle may name.
#[derive(Clone, Debug)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    StorageType(StorageType),
}

/// Type of the numbers in a storage.
#[derive(Clone, Debug)]
pub(super) enum StorageType {
    Float,
    Double,
    /// A type whose elements are not needed, such as that of the optimizer's step count.
    Other(&'static str),
}

/// A record of raw numbers.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub(super) kind: StorageType,
    pub(super) key: Rc<str>,
}

/// A view of a storage; offset and strides in elements.
#[derive(Debug)]
pub(super) struct TensorRecord {
    pub(super) storage: Storage,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// Storages whose numbers are not read.
const OTHER_STORAGES: [&str; 8] = [
    "HalfStorage",
    "BFloat16Storage",
    "LongStorage",
    "IntStorage",
    "ShortStorage",
    "CharStorage",
    "ByteStorage",
    "BoolStorage",
];

impl Global {
    fn named(module: &str, name: &str) -> Result<Self, CheckpointError> {
        let other = || OTHER_STORAGES.into_iter().find(|other| *other == name);
        match (module, name) {
            ("collections", "OrderedDict") => Ok(Global::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2") => Ok(Global::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Ok(Global::RebuildParameter),
            ("torch", "FloatStorage") => Ok(Global::StorageType(StorageType::Float)),
            ("torch", "DoubleStorage") => Ok(Global::StorageType(StorageType::Double)),
            ("torch", _) if let Some(name) = other() => {
                Ok(Global::StorageType(StorageType::Other(name)))
            }
            _ => Err(CheckpointError::Forbidden {
                name: format!("{module}.{name}"),
            }),
        }
    }
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle {
    root: Object,
    dicts: Vec<Vec<(Object, Object)>>,
}

impl Pickle {
    /// The most bytes that a pickle may have. Every instruction takes at least one and makes at most one object, so
    /// that this bounds time and memory.
    const MAX_BYTES: usize = 1 << 24;

    /// Reads a pickle.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, CheckpointError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(CheckpointError::Record {
                record: "data.pkl".to_owned(),
                problem: format!(
                    "found {} bytes, expected {} or fewer",
                    bytes.len(),
                    Self::MAX_BYTES
                ),
            });
        }
        let mut machine = Machine {
            bytes,
            at: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            dicts: Vec::new(),
            tuples: Vec::new(),
        };
        let root = machine.run()?;
        Ok(Pickle {
            root,
            dicts: machine.dicts,
        })
    }

    /// The content of the file.
    pub(super) fn root(&self) -> &Object {
        &self.root
    }

    /// The entries of a dictionary, in order; of equal keys the last counts.
    pub(super) fn dict(&self, index: usize) -> &[(Object, Object)] {
        &self.dicts[index]
    }
}

/// The most axes that a tensor may have.
const MAX_AXES: usize = 8;

/// The stack machine.
struct Machine<'b> {
    bytes: &'b [u8],
    at: usize,
    stack: Vec<Object>,
    /// Heights of the stack at which open sequences begin.
    marks: Vec<usize>,
    memo: HashMap<u32, Object>,
    dicts: Vec<Vec<(Object, Object)>>,
    tuples: Vec<Vec<Object>>,
}

impl Machine<'_> {
    fn wrong<T>(&self, problem: &'static str) -> Result<T, CheckpointError> {
        Err(CheckpointError::Pickle {
            at: self.at,
            problem,
        })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], CheckpointError> {
        let Some(bytes) = self
            .bytes
            .get(self.at..)
            .and_then(|rest| rest.first_chunk())
        else {
            return self.wrong("it ends within an instruction");
        };
        self.at += N;
        Ok(*bytes)
    }

    fn text(&mut self, length: usize) -> Result<String, CheckpointError> {
        let end = self.at.checked_add(length);
        let Some(bytes) = end.and_then(|end| self.bytes.get(self.at..end)) else {
            return self.wrong("a text reaches beyond its end");
        };
        self.at += length;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => self.wrong("a text is not UTF-8"),
        }
    }

    /// A text up to the end of its line.
    fn line(&mut self) -> Result<String, CheckpointError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
            return self.wrong("a line does not end");
        };
        let line = self.text(length)?;
        self.at += 1;
        Ok(line)
    }

    fn pop(&mut self) -> Result<Object, CheckpointError> {
        // Values below a mark belong to the opcode that set it.
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len() > floor {
            true => self
                .stack
                .pop()
                .map_or_else(|| self.wrong("its stack is empty"), Ok),
            false => self.wrong("its stack is empty"),
        }
    }

    /// Everything above the last mark, which is removed.
    fn sequence(&mut self) -> Result<Vec<Object>, CheckpointError> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => self.wrong("a sequence has no beginning"),
        }
    }

    fn tuple(&mut self, length: usize) -> Result<(), CheckpointError> {
        let mut items = Vec::with_capacity(length);
        for _ in 0..length {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push_tuple(items);
        Ok(())
    }

    fn push_tuple(&mut self, items: Vec<Object>) {
        self.tuples.push(items);
        self.stack.push(Object::Tuple(self.tuples.len() - 1));
    }

    /// The items of a tuple.
    fn items(&self, object: &Object) -> Option<&[Object]> {
        match *object {
            Object::Tuple(index) => Some(&self.tuples[index]),
            _ => None,
        }
    }

    /// The indices in a tuple, of which there are as many as a tensor has axes.
    fn indices(&self, object: &Object) -> Option<Vec<usize>> {
        let items = self.items(object)?;
        let indices = items.iter().take(MAX_AXES + 1).map(Object::index);
        indices.collect()
    }

    fn new_dict(&mut self) -> Object {
        self.dicts.push(Vec::new());
        Object::Dict(self.dicts.len() - 1)
    }

    /// Adds keys and values, by turns, to the dictionary on the stack.
    fn fill_dict(&mut self, items: Vec<Object>) -> Result<(), CheckpointError> {
        let Some(&Object::Dict(dict)) = self.stack.last() else {
            return self.wrong("entries are added to something else than a dictionary");
        };
        if !items.len().is_multiple_of(2) {
            return self.wrong("a key has no value");
        }
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            self.dicts[dict].push((key, value));
        }
        Ok(())
    }

    /// Items are added to the list on the stack; no list matters here.
    fn fill_list(&self) -> Result<(), CheckpointError> {
        match self.stack.last() {
            Some(Object::List) => Ok(()),
            _ => self.wrong("items are added to something else than a list"),
        }
    }

    fn remember(&mut self, slot: u32) -> Result<(), CheckpointError> {
        let Some(top) = self.stack.last().cloned() else {
            return self.wrong("its stack is empty");
        };
        self.memo.insert(slot, top);
        Ok(())
    }

    fn recall(&mut self, slot: u32) -> Result<(), CheckpointError> {
        match self.memo.get(&slot).cloned() {
            Some(object) => {
                self.stack.push(object);
                Ok(())
            }
            None => self.wrong("it recalls a memo entry that it never stored"),
        }
    }

    /// A storage from `('storage', class, key, device, count)`; the device does not matter here.
    fn storage(&mut self) -> Result<(), CheckpointError> {
        let object = self.pop()?;
        let storage = match self.items(&object) {
            Some(
                [
                    Object::Text(kind),
                    Object::Global(Global::StorageType(storage)),
                    Object::Text(key),
                    Object::Text(_device),
                    Object::Int(_),
                ],
            ) if &**kind == "storage" => Some(Storage {
                kind: storage.clone(),
                key: key.clone(),
            }),
            _ => None,
        };
        match storage {
            Some(storage) => {
                self.stack.push(Object::Storage(storage));
                Ok(())
            }
            None => self.wrong("it refers to something else than a storage"),
        }
    }

    /// Replaces a function on the stack and the arguments above it by the result of the call.
    fn reduce(&mut self) -> Result<(), CheckpointError> {
        let arguments = self.pop()?;
        let function = self.pop()?;
        let Some(arguments) = self.items(&arguments) else {
            return self.wrong("a call has no arguments");
        };
        let made = match (function, arguments) {
            (Object::Global(Global::OrderedDict), []) => Some(self.new_dict()),
            (
                Object::Global(Global::RebuildTensor),
                [
                    Object::Storage(storage),
                    offset,
                    shape,
                    strides,
                    _grad,
                    _hooks,
                    ..,
                ],
            ) => match (offset.index(), self.indices(shape), self.indices(strides)) {
                (_, Some(shape), _) if shape.len() > MAX_AXES => {
                    return self.wrong("a tensor has more than 8 axes");
                }
                (Some(offset), Some(shape), Some(strides)) if shape.len() == strides.len() => {
                    Some(Object::Tensor(Rc::new(TensorRecord {
                        storage: storage.clone(),
                        offset,
                        shape,
                        strides,
                    })))
                }
                _ => None,
            },
            (
                Object::Global(Global::RebuildParameter),
                [tensor @ Object::Tensor(_), _grad, _hooks],
            ) => Some(tensor.clone()),
            _ => None,
        };
        match made {
            Some(object) => {
                self.stack.push(object);
                Ok(())
            }
            None => self.wrong("a call makes neither a dictionary nor a tensor"),
        }
    }

    /// Attributes of a dictionary (`_metadata` of a state dict), which do not matter here.
    fn build(&mut self) -> Result<(), CheckpointError> {
        let attributes = self.pop()?;
        match (attributes, self.stack.last()) {
            (Object::Dict(_), Some(Object::Dict(_))) => Ok(()),
            _ => self.wrong("it sets attributes of something else than a dictionary"),
        }
    }

    /// Runs until the pickle's stop opcode.
    fn run(&mut self) -> Result<Object, CheckpointError> {
        loop {
            let [instruction] = self.take()?;
            match instruction {
                // PROTO
                0x80 => {
                    let [version] = self.take()?;
                    if version != 2 {
                        return Err(CheckpointError::Forbidden {
                            name: format!("pickle protocol {version}"),
                        });
                    }
                }
                // GLOBAL
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.stack
                        .push(Object::Global(Global::named(&module, &name)?));
                }
                // MARK
                b'(' => self.marks.push(self.stack.len()),
                // NONE, NEWTRUE, NEWFALSE
                b'N' => self.stack.push(Object::None),
                0x88 | 0x89 => self.stack.push(Object::Bool),
                // BININT, BININT1, BININT2
                b'J' => {
                    let value = i32::from_le_bytes(self.take()?);
                    self.stack.push(Object::Int(value.into()));
                }
                b'K' => {
                    let [value] = self.take()?;
                    self.stack.push(Object::Int(value.into()));
                }
                b'M' => {
                    let value = u16::from_le_bytes(self.take()?);
                    self.stack.push(Object::Int(value.into()));
                }
                // LONG1, little-endian two's complement
                0x8a => {
                    let [length] = self.take()?;
                    let mut value: i64 = 0;
                    for position in 0..usize::from(length) {
                        let [byte] = self.take()?;
                        let negative = position + 1 == usize::from(length) && byte >= 0x80;
                        if position >= 8 {
                            return self.wrong("a whole number has more than 64 bits");
                        }
                        value |= i64::from(byte) << (8 * position);
                        if negative && position < 7 {
                            value -= 1 << (8 * (position + 1));
                        }
                    }
                    self.stack.push(Object::Int(value));
                }
                // BINFLOAT, big-endian
                b'G' => {
                    let value = f64::from_be_bytes(self.take()?);
                    self.stack.push(Object::Float(value));
                }
                // BINUNICODE
                b'X' => {
                    let length = u32::from_le_bytes(self.take()?);
                    let text = self.text(length as usize)?;
                    self.stack.push(Object::Text(text.into()));
                }
                // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
                b')' => self.push_tuple(Vec::new()),
                0x85 => self.tuple(1)?,
                0x86 => self.tuple(2)?,
                0x87 => self.tuple(3)?,
                b't' => {
                    let items = self.sequence()?;
                    self.push_tuple(items);
                }
                // EMPTY_LIST, APPEND, APPENDS
                b']' => self.stack.push(Object::List),
                b'a' => {
                    self.pop()?;
                    self.fill_list()?;
                }
                b'e' => {
                    self.sequence()?;
                    self.fill_list()?;
                }
                // EMPTY_DICT, SETITEM, SETITEMS
                b'}' => {
                    let dict = self.new_dict();
                    self.stack.push(dict);
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.fill_dict(vec![key, value])?;
                }
                b'u' => {
                    let items = self.sequence()?;
                    self.fill_dict(items)?;
                }
                // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
                b'q' => {
                    let [slot] = self.take()?;
                    self.remember(slot.into())?;
                }
                b'r' => {
                    let slot = u32::from_le_bytes(self.take()?);
                    self.remember(slot)?;
                }
                b'h' => {
                    let [slot] = self.take()?;
                    self.recall(slot.into())?;
                }
                b'j' => {
                    let slot = u32::from_le_bytes(self.take()?);
                    self.recall(slot)?;
                }
                // BINPERSID, REDUCE, BUILD
                b'Q' => self.storage()?,
                b'R' => self.reduce()?,
                b'b' => self.build()?,
                // STOP
                b'.' => return self.pop(),
                other => {
                    return Err(CheckpointError::Forbidden {
                        name: format!("pickle instruction 0x{other:02x}"),
                    });
                }
            }
        }
    }
}
