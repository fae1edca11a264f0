#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif
#include <unistd.h>

namespace nnp
{

constexpr std::chrono::microseconds AWAKE(100);  // that a thread asks for work before it sleeps

int available_threads()
{
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return std::max(1, CPU_COUNT(&allowed));
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// condition_variable::wait is of GLIBCXX_3.4.30, which systems with glibc 2.34 lack; a wait of a day is not.
template <class Holds>
static void wait_for(std::condition_variable& change, std::unique_lock<std::mutex>& lock, Holds holds)
{
    while (!change.wait_for(lock, std::chrono::hours(24), holds)) {
    }
}

// Waits without sleeping, for a while: the next step of a simulation comes soon, and a thread that has to be woken is
// late, and often put on the core of the one that wakes it. Others that want the core get it.
template <class Holds>
static void stay_awake(Holds holds)
{
    const auto end = std::chrono::steady_clock::now() + AWAKE;
    while (!holds() && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
}

// The threads of one process and what they wait on.
class ThreadPool::Team
{
public:
    explicit Team(int n_workers)
    {
        try {
            for (int thread = 1; thread <= n_workers; ++thread)
                workers_.emplace_back(&Team::serve, this, thread);
        } catch (...) {  // the system gives no more: those that there are must not stay behind
            stop();
            throw;
        }
    }

    ~Team() { stop(); }

    void run(int64_t n_chunks, const std::function<void(int64_t, int)>& work)
    {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            n_chunks_ = n_chunks;
            work_ = &work;
            next_ = 0;
            failure_ = nullptr;
            running_ = workers_.size();
            ++generation_;
        }
        start_.notify_all();
        take_chunks(0);
        stay_awake([&] { return running_ == 0; });
        std::unique_lock<std::mutex> lock(mutex_);
        wait_for(done_, lock, [&] { return running_ == 0; });
        if (failure_)
            std::rethrow_exception(failure_);
    }

private:
    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable start_, done_;
    std::atomic<uint64_t> generation_{0};
    std::atomic<size_t> running_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<int64_t> next_{0};
    int64_t n_chunks_ = 0;
    const std::function<void(int64_t, int)>* work_ = nullptr;
    std::exception_ptr failure_;

    void stop()
    {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            stopping_ = true;
        }
        start_.notify_all();
        for (std::thread& worker : workers_)
            worker.join();
    }

    void take_chunks(int thread)
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

    void serve(int thread)
    {
        uint64_t seen = 0;
        for (;;) {
            stay_awake([&] { return stopping_ || generation_ != seen; });
            {
                std::unique_lock<std::mutex> lock(mutex_);
                wait_for(start_, lock, [&] { return stopping_ || generation_ != seen; });
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
};

ThreadPool::ThreadPool(int n_threads) : n_threads_(std::max(1, n_threads)) {}

ThreadPool::~ThreadPool()
{
    forget_another_process();
}

// Neither joined nor destroyed: its threads are not here, and its condition variables would wait for them.
void ThreadPool::forget_another_process()
{
    if (team_ && process_ != getpid())
        (void)team_.release();  // lost on purpose
}

void ThreadPool::run(int64_t n_chunks, const std::function<void(int64_t, int)>& work)
{
    if (n_threads_ == 1 || n_chunks <= 1) {
        for (int64_t chunk = 0; chunk < n_chunks; ++chunk)
            work(chunk, 0);
        return;
    }
    forget_another_process();
    if (!team_) {
        team_ = std::make_unique<Team>(n_threads_ - 1);
        process_ = getpid();
    }
    team_->run(n_chunks, work);
}

}  // namespace nnp
