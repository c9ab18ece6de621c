# The gate "tests": red while there is a file broken.txt, or when it does not find what the set-up made.
if [ -f broken.txt ]; then echo 'broken.txt must go'; exit 1; fi
if [ ! -f made/tool ]; then echo 'nothing was set up'; exit 1; fi
echo '3 passed, 0 failed'
