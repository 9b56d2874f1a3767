//! Operations that leave out an axis: sums, means, largest numbers; and the product of matrices.

use ndarray::{ArrayD, Axis, Ix2, IxDyn, Zip};

use super::Tensor;

impl<'t> Tensor<'t> {
    /// The sum of all numbers, a single one.
    pub fn sum(self) -> Self {
        let x = self.raw();
        let result = ArrayD::from_elem(IxDyn(&[]), x.sum());
        let shape = x.shape().to_vec();
        self.tape.operation("sum", &[self], result, move |bar| {
            Ok(vec![ArrayD::from_elem(&shape[..], bar.sum())])
        })
    }

    /// The mean of all numbers, a single one.
    pub fn mean(self) -> Self {
        match self.raw().len() {
            0 => self.tape.misfit("mean", &[self], "one number or more"),
            count => self.sum() / count as f64,
        }
    }

    /// Sums along `axis`, which is left out.
    pub fn sum_axis(self, axis: usize) -> Self {
        let x = self.raw();
        if axis >= x.ndim() {
            return self.no_axis("sum_axis", axis);
        }
        let shape = x.shape().to_vec();
        let result = x.sum_axis(Axis(axis));
        self.tape
            .operation("sum_axis", &[self], result, move |bar| {
                Ok(vec![spread(bar, axis, &shape)])
            })
    }

    /// Means along `axis`, which is left out.
    pub fn mean_axis(self, axis: usize) -> Self {
        let x = self.raw();
        match x.shape().get(axis) {
            Some(&size) if size > 0 => self.sum_axis(axis) / size as f64,
            _ => self.no_axis("mean_axis", axis),
        }
    }

    /// The largest numbers along `axis`, which is left out. The derivative is that by the first of them.
    pub fn max_axis(self, axis: usize) -> Self {
        let x = self.raw();
        if x.shape().get(axis).is_none_or(|&size| size == 0) {
            return self.no_axis("max_axis", axis);
        }
        let first = x.index_axis(Axis(axis), 0);
        let (mut result, mut at) = (first.to_owned(), first.mapv(|_| 0_usize));
        for (index, slice) in x.axis_iter(Axis(axis)).enumerate() {
            let larger = Zip::from(&mut result).and(&mut at).and(&slice);
            larger.for_each(|most, at, &x| {
                if x > *most {
                    (*most, *at) = (x, index);
                }
            });
        }
        let shape = x.shape().to_vec();
        self.tape
            .operation("max_axis", &[self], result, move |bar| {
                let mut by_x = ArrayD::zeros(&shape[..]);
                for (index, mut slice) in by_x.axis_iter_mut(Axis(axis)).enumerate() {
                    Zip::from(&mut slice)
                        .and(bar)
                        .and(&at)
                        .for_each(|to, &bar, &at| {
                            *to = if at == index { bar } else { 0.0 };
                        });
                }
                Ok(vec![by_x])
            })
    }

    /// ln sum e^x along `axis`, which is left out: of `k x`, divided by `k`, a smooth upper bound of the largest number.
    pub fn log_sum_exp_axis(self, axis: usize) -> Self {
        let x = self.raw();
        if x.shape().get(axis).is_none_or(|&size| size == 0) {
            return self.no_axis("log_sum_exp_axis", axis);
        }
        let most = x.fold_axis(Axis(axis), f64::NEG_INFINITY, |&most, &x| most.max(x));
        let wide = spread(&most, axis, x.shape());
        let weights = Zip::from(&*x)
            .and(&wide)
            .map_collect(|x, most| (x - most).exp());
        let sums = weights.sum_axis(Axis(axis));
        let shares = weights / spread(&sums, axis, x.shape());
        let result = most + sums.mapv(f64::ln);
        let vjp = move |bar: &ArrayD<f64>| Ok(vec![spread(bar, axis, shares.shape()) * &shares]);
        self.tape
            .operation("log_sum_exp_axis", &[self], result, vjp)
    }

    /// The product of two matrices, `[row, k]` and `[k, column]`.
    pub fn matmul(self, other: Tensor<'t>) -> Self {
        let matrix = |tensor: Tensor<'t>| {
            let value = tensor.raw();
            ArrayD::clone(&value).into_dimensionality::<Ix2>().ok()
        };
        let (Some(a), Some(b)) = (matrix(self), matrix(other)) else {
            return self.tape.misfit("matmul", &[self, other], "two matrices");
        };
        if a.ncols() != b.nrows() {
            let expected = "as many columns of the first as rows of the second";
            return self.tape.misfit("matmul", &[self, other], expected);
        }
        let result = a.dot(&b).into_dyn();
        self.tape
            .operation("matmul", &[self, other], result, move |bar| {
                let bar = bar.view().into_dimensionality::<Ix2>()?;
                Ok(vec![bar.dot(&b.t()).into_dyn(), a.t().dot(&bar).into_dyn()])
            })
    }

    pub(super) fn no_axis(self, operation: &'static str, axis: usize) -> Self {
        let expected = format!("an axis {axis} of at least one number");
        self.tape.misfit(operation, &[self], expected)
    }
}

/// Repeats `x` along a new axis, so that it has `shape`.
fn spread(x: &ArrayD<f64>, axis: usize, shape: &[usize]) -> ArrayD<f64> {
    let x = x.view().insert_axis(Axis(axis));
    let wide = x.broadcast(IxDyn(shape));
    wide.expect("the axis was left out of this shape")
        .to_owned()
}
