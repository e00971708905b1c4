// What the threads of a workgroup sum up together.

override THREADS: u32 = 64u; // of a workgroup

var<workgroup> partial: array<vec2f, THREADS>;

// The sums of both over the workgroup, to every thread.
fn total(part: vec2f, thread: u32) -> vec2f {
    workgroupBarrier();
    partial[thread] = part;
    workgroupBarrier();
    var sum = vec2f();
    for (var i = 0u; i < THREADS; i++) {
        sum += partial[i];
    }
    return sum;
}
