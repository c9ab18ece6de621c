# The agent of every role: deterministic, and the same however often it was interrupted before. What it answers
# depends on the request and on the files in front of it, never on the number of the attempt.
# AGENT_LOG gets a line when a dispatch begins and when it ends.
stage=$EXECUTE_PRD_STAGE
task=$EXECUTE_PRD_TASK_ID
cat > /dev/null
printf 'begin %s %s %s\n' "$stage" "$task" "$EXECUTE_PRD_DISPATCH" >> "$AGENT_LOG"

answer() {
  printf '%s\n' "$1" > "$EXECUTE_PRD_REPORT"
  printf 'end %s %s %s\n' "$stage" "$task" "$EXECUTE_PRD_DISPATCH" >> "$AGENT_LOG"
  exit 0
}

# Whether the attempt before was sent back with these words.
told() {
  grep -q '"feedback"' "$EXECUTE_PRD_REQUEST" && grep -q "$1" "$EXECUTE_PRD_REQUEST"
}

usage='"usage":{"inputTokens":100,"outputTokens":10,"costUsd":0.01}'

case "$stage:$task" in
recon:)
  answer "{\"tasks\":[{\"id\":\"alpha\",\"verdict\":\"confirmed\",\"evidence\":\"looked\"},{\"id\":\"beta\",\"verdict\":\"confirmed\",\"evidence\":\"looked\"},{\"id\":\"gamma\",\"verdict\":\"confirmed\",\"evidence\":\"looked\"},{\"id\":\"delta\",\"verdict\":\"confirmed\",\"evidence\":\"looked\"}],$usage}" ;;
pre-mortem:)
  answer "{\"risks\":[{\"name\":\"Drafts\",\"category\":\"quality\",\"severity\":\"major\",\"problem\":\"drafts are handed in\",\"mitigation\":\"no drafts\",\"verification\":\"read it\",\"taskIds\":[\"gamma\"]}],$usage}" ;;
precheck:delta)
  answer "{\"verdict\":\"needs_refinement\",\"issues\":[\"which old file is meant\"],$usage}" ;;
precheck:*)
  answer "{\"verdict\":\"approved\",\"issues\":[],$usage}" ;;
develop:alpha)
  mkdir -p src
  echo 'one' > src/alpha-1.txt
  echo 'two' > src/alpha-2.txt ;;
develop:beta)
  mkdir -p src
  if told 'broken.txt must go'; then
    rm -f broken.txt
    echo 'beta' > src/beta.txt
  else
    echo 'beta' > src/beta.txt
    echo 'broken' > broken.txt
  fi ;;
develop:gamma)
  mkdir -p src
  if told 'it is a draft'; then echo 'final' > src/gamma.txt; else echo 'draft' > src/gamma.txt; fi
  echo 'changed by gamma' >> src/alpha-1.txt
  sort -u -o src/alpha-1.txt src/alpha-1.txt ;;
develop:delta)
  rm -f old.txt
  # Agents commit as well: the program takes the tree, and keeps the commit.
  echo 'delta' > src/delta.txt
  git add -A
  git commit --quiet --message 'my own commit' || true ;;
develop:*)
  echo "$task" > "$task.txt" ;;
review:gamma)
  if grep -q draft src/gamma.txt; then
    answer "{\"verdict\":\"iterate\",\"score\":40,\"findings\":[{\"severity\":\"major\",\"file\":\"src/gamma.txt\",\"problem\":\"it is a draft\",\"fix\":\"finish it\"}],$usage}"
  fi
  answer "{\"verdict\":\"approved\",\"score\":92,\"criteria\":[{\"index\":0,\"verdict\":\"met\",\"where\":\"src/gamma.txt\"}],\"findings\":[],$usage}" ;;
review:*)
  answer "{\"verdict\":\"approved\",\"score\":90,\"criteria\":[{\"index\":0,\"verdict\":\"met\",\"where\":\"the files\"}],\"findings\":[],$usage}" ;;
holistic-review:)
  if [ -f follow-up-1-1.txt ]; then
    answer "{\"verdict\":\"pass\",\"summary\":\"all there\",\"followUps\":[],\"learnings\":[\"finish what you begin\"],$usage}"
  fi
  answer "{\"verdict\":\"gaps\",\"summary\":\"a note is missing\",\"followUps\":[{\"title\":\"Write the note\",\"description\":\"Write the missing note\",\"acceptanceCriteria\":[\"the note is there\"]}],\"learnings\":[],$usage}" ;;
*)
  exit 9 ;;
esac
answer "{\"summary\":\"did $task\",\"reflection\":\"fine\",$usage}"
