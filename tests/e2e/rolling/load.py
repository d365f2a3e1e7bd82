"""Asks for one page again and again, while something else upgrades what serves it.

    load.py URL WORKERS LEAST STOP    until LEAST requests are done and the file STOP exists

Prints: REQUESTS FAILED GAP, with the longest time without a good answer in milliseconds.
"""
import os
import sys
import threading
import time
import urllib.error
import urllib.request

url, workers, least, stop = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
lock = threading.Lock()
done = failed = 0
gap = 0.0
last_good = time.monotonic()


def ask():
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status == 200 and bool(answer.read())
    except (OSError, urllib.error.HTTPError):
        return False


def work():
    global done, failed, gap, last_good
    while done < least or not os.path.exists(stop):
        good = ask()
        with lock:
            done += 1
            now = time.monotonic()
            if good:
                gap = max(gap, now - last_good)
                last_good = now
            else:
                failed += 1
        if not good:
            time.sleep(0.005)  # what refuses at once must not fill the count


threads = [threading.Thread(target=work) for _ in range(workers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(done, failed, round(gap * 1000))
