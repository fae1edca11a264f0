#include "thread_pool.h"

#include <algorithm>

#if defined(__linux__)
#include <sched.h>
#endif
#include <unistd.h>

namespace nnp
{

int available_threads()
{
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return std::max(1, CPU_COUNT(&allowed));
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

ThreadPool::ThreadPool(int n_threads) : n_threads_(std::max(1, n_threads)) {}

ThreadPool::~ThreadPool()
{
    if (process_ != getpid()) {
        for (std::thread& worker : workers_)
            worker.detach();  // threads of a parent process: nothing to wait for
        return;
    }
    {
        std::lock_guard<std::mutex> lock(mutex_);
        stopping_ = true;
    }
    start_.notify_all();
    for (std::thread& worker : workers_)
        worker.join();
}

void ThreadPool::start_workers()
{
    if (process_ == getpid())
        return;
    for (std::thread& worker : workers_)
        worker.detach();
    workers_.clear();
    process_ = getpid();
    for (int thread = 1; thread < n_threads_; ++thread)
        workers_.emplace_back(&ThreadPool::worker, this, thread);
}

void ThreadPool::take_chunks(int thread)
{
    try {
        for (int64_t chunk = next_++; chunk < n_chunks_; chunk = next_++)
            (*work_)(chunk, thread);
    } catch (...) {
        std::lock_guard<std::mutex> lock(mutex_);
        failure_ = std::current_exception();
        next_ = n_chunks_;
    }
}

void ThreadPool::worker(int thread)
{
    uint64_t seen = 0;
    for (;;) {
        {
            std::unique_lock<std::mutex> lock(mutex_);
            start_.wait(lock, [&] { return stopping_ || generation_ != seen; });
            if (stopping_)
                return;
            seen = generation_;
        }
        take_chunks(thread);
        {
            std::lock_guard<std::mutex> lock(mutex_);
            --running_;
        }
        done_.notify_one();
    }
}

void ThreadPool::run(int64_t n_chunks, const std::function<void(int64_t, int)>& work)
{
    if (n_threads_ == 1 || n_chunks <= 1) {
        for (int64_t chunk = 0; chunk < n_chunks; ++chunk)
            work(chunk, 0);
        return;
    }
    start_workers();
    {
        std::lock_guard<std::mutex> lock(mutex_);
        n_chunks_ = n_chunks;
        work_ = &work;
        next_ = 0;
        failure_ = nullptr;
        running_ = n_threads_ - 1;
        ++generation_;
    }
    start_.notify_all();
    take_chunks(0);
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [&] { return running_ == 0; });
    if (failure_)
        std::rethrow_exception(failure_);
}

}  // namespace nnp
