//! Loops over many values, in the widest registers that the processor has.

/// Does `work`, whose loops take eight values at a time where the processor has AVX2, instead of the four of every target.
/// The results stay the same bits: nothing is fused, and sums keep their order.
#[inline(always)]
pub(crate) fn wide(work: impl FnOnce()) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has it.
        return unsafe { with_avx2(work) };
    }
    work();
}

/// `work` is compiled into this, and so with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(work: impl FnOnce()) {
    work();
}
