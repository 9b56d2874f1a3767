//! Operations that move numbers without changing them.

use std::ops::Range;

use ndarray::{ArrayD, Axis, IxDyn, Slice, concatenate};

use super::{GradientTape, Tensor};

impl<'t> Tensor<'t> {
    /// The same numbers in row-major order under another shape.
    pub fn reshape(self, shape: &[usize]) -> Self {
        let x = self.raw();
        if shape.iter().product::<usize>() != x.len() {
            let expected = format!("as many numbers as {shape:?} holds");
            return self.tape.misfit("reshape", &[self], expected);
        }
        let before = x.shape().to_vec();
        let result = reshaped(&x, shape);
        self.tape.operation("reshape", &[self], result, move |bar| {
            Ok(vec![reshaped(bar, &before)])
        })
    }

    /// The same with a new axis of size 1 before axis `axis`.
    pub fn insert_axis(self, axis: usize) -> Self {
        let mut shape = self.shape();
        if axis > shape.len() {
            let expected = format!("at least {axis} axes");
            return self.tape.misfit("insert_axis", &[self], expected);
        }
        shape.insert(axis, 1);
        self.reshape(&shape)
    }

    /// The part `range` along `axis`.
    pub fn slice_axis(self, axis: usize, range: Range<usize>) -> Self {
        let x = self.raw();
        let fits = |&size: &usize| range.start <= range.end && range.end <= size;
        if !x.shape().get(axis).is_some_and(fits) {
            let expected = format!(
                "an axis {axis} that reaches from {} to {}",
                range.start, range.end
            );
            return self.tape.misfit("slice_axis", &[self], expected);
        }
        let (shape, part) = (x.shape().to_vec(), Slice::from(range));
        let result = x.slice_axis(Axis(axis), part).to_owned();
        self.tape
            .operation("slice_axis", &[self], result, move |bar| {
                let mut by_x = ArrayD::zeros(&shape[..]);
                by_x.slice_axis_mut(Axis(axis), part).assign(bar);
                Ok(vec![by_x])
            })
    }

    /// The slice at `index` along `axis`, which is left out.
    pub fn index_axis(self, axis: usize, index: usize) -> Self {
        let part = self.slice_axis(axis, index..index.saturating_add(1));
        let mut shape = part.shape();
        if axis < shape.len() {
            shape.remove(axis);
        }
        part.reshape(&shape)
    }

    /// The axes in another order: axis `i` of the result is axis `order[i]`.
    pub fn permute(self, order: &[usize]) -> Self {
        let x = self.raw();
        let mut inverse = vec![usize::MAX; x.ndim()];
        for (new, &old) in order.iter().enumerate() {
            if let Some(place) = inverse.get_mut(old) {
                *place = new;
            }
        }
        if order.len() != x.ndim() || inverse.contains(&usize::MAX) {
            let expected = format!("as many axes as the order {order:?}, each named once");
            return self.tape.misfit("permute", &[self], expected);
        }
        let turned = |x: &ArrayD<f64>, order: &[usize]| {
            let x = x.view().permuted_axes(IxDyn(order));
            x.as_standard_layout().into_owned()
        };
        let result = turned(&x, order);
        self.tape.operation("permute", &[self], result, move |bar| {
            Ok(vec![turned(bar, &inverse)])
        })
    }
}

impl GradientTape {
    /// Tensors one after the other along `axis`; the other axes are equal.
    pub fn concatenate<'t>(&'t self, axis: usize, parts: &[Tensor<'t>]) -> Tensor<'t> {
        let values: Vec<_> = parts.iter().map(Tensor::raw).collect();
        let views: Vec<_> = values.iter().map(|value| value.view()).collect();
        let fits = values.iter().all(|value| axis < value.ndim());
        let joined = fits.then(|| concatenate(Axis(axis), &views).ok()).flatten();
        let Some(result) = joined else {
            let expected = format!("one part or more, equal along all axes but {axis}");
            return self.misfit("concatenate", parts, expected);
        };
        let sizes: Vec<usize> = values.iter().map(|value| value.shape()[axis]).collect();
        self.operation("concatenate", parts, result, move |bar| {
            let mut start = 0;
            let cut = |&size: &usize| {
                let part = Slice::from(start..start + size);
                start += size;
                bar.slice_axis(Axis(axis), part).to_owned()
            };
            Ok(sizes.iter().map(cut).collect())
        })
    }

    /// Tensors of one shape beside each other along a new axis `axis`.
    pub fn stack<'t>(&'t self, axis: usize, parts: &[Tensor<'t>]) -> Tensor<'t> {
        let parts: Vec<Tensor<'t>> = parts.iter().map(|part| part.insert_axis(axis)).collect();
        self.concatenate(axis, &parts)
    }
}

fn reshaped(x: &ArrayD<f64>, shape: &[usize]) -> ArrayD<f64> {
    let x = x.as_standard_layout().into_owned();
    let reshaped = x.into_shape_with_order(shape);
    reshaped.expect("as many numbers")
}
